import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { assertPortsFree, freePort } from '../../src/local/ports.ts';

describe('ports', () => {
  it('are fine when nobody listens', async () => {
    await expect(
      assertPortsFree([{ variable: 'PORT', host: '127.0.0.1', port: await freePort() }]),
    ).resolves.toBeUndefined();
  });

  it('that are taken are named, each with the variable that moves it', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const choices = ['PORT', 'TEMPORAL_PORT'].map((variable) => ({ variable, host: '127.0.0.1', port }));
    await expect(assertPortsFree(choices)).rejects.toMatchObject({
      name: 'StartError',
      message:
        `Port ${port} is taken: stop what listens there, or set PORT to another port\n` +
        `Port ${port} is taken: stop what listens there, or set TEMPORAL_PORT to another port`,
    });
  });

  it('of an address that is not ours lead to HOST', async () => {
    await expect(assertPortsFree([{ variable: 'PORT', host: '192.0.2.1', port: 3000 }])).rejects.toThrow(/set HOST/);
  });
});
