import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../../src/local/ports.ts';
import { makeTempDir } from './support/parts.ts';
import { runEntry } from '../support/run-entry.ts';

/** Starts with a data folder and ports of its own, where nothing is up to the defaults. */
async function start(env: NodeJS.ProcessEnv) {
  const anyPort = { PORT: '0', BOARD_PORT: '0', POSTGRES_PORT: '0', TEMPORAL_PORT: '0', TEMPORAL_UI_PORT: '0' };
  return runEntry('local/start', [], { ...anyPort, DATA_DIR: await makeTempDir(), ...env });
}

describe('npm start', () => {
  it('says which variable moves a port that is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const { code, stderr } = await start({ TEMPORAL_UI_PORT: String(port) });
    expect(code).toBe(1);
    expect(lastLine(stderr)).toBe(
      `Port ${port} is taken: stop what listens there, or set TEMPORAL_UI_PORT to another port`,
    );
  });

  it('says what is wrong with a setting', async () => {
    const { code, stderr } = await start({ PORT: 'three thousand' });
    expect(code).toBe(1);
    expect(lastLine(stderr)).toMatch(/^Change these variables and start again: PORT: /);
  });

  it('says that DATABASE_URL leads nowhere, and stops what it had started', async () => {
    const port = await freePort();
    const { code, stderr } = await start({ DATABASE_URL: `postgresql://me:secret@127.0.0.1:${port}/leads` });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^DATABASE_URL: no usable Postgres at 127\.0\.0\.1:\d+\/leads /m);
    expect(stderr).not.toContain('secret');
  });
});

const lastLine = (text: string) => text.trim().split('\n').at(-1);
