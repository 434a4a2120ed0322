import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../src/local/ports.ts';
import { projectRoot } from '../../src/local/project-root.ts';
import { createSafePost } from '../../src/safe-fetch/safe-post.ts';
import { newSecret } from '../../src/webhooks/secret.ts';
import { createSender } from '../../src/webhooks/send.ts';

const linesOf = (child: ChildProcess) => {
  const lines: string[] = [];
  child.stdout?.on('data', (chunk: Buffer) => lines.push(...chunk.toString().trimEnd().split('\n')));
  return lines;
};

test('the example of a receiver takes what we have signed, each event once, and nothing else', async () => {
  const [port, secret] = [await freePort(), newSecret()];
  const child = spawn(process.execPath, ['--import', 'tsx', join(projectRoot(), 'examples/receive-webhooks.ts')], {
    env: { ...process.env, PORT: String(port), WEBHOOK_SECRET: secret },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(async () => {
    child.kill();
    await once(child, 'exit');
  });
  const lines = linesOf(child);
  await expect.poll(() => lines[0]).toContain('listening');

  const poster = createSafePost({ allowed: () => true });
  const post = (signedWith: string, id: string) => {
    const endpoint = { url: `http://127.0.0.1:${port}/`, secret: signedWith, oldSecret: null, oldSecretUntil: null };
    const data = { id, leadId: 'lead-1', data: {} };
    const body = JSON.stringify({ type: 'lead.created', timestamp: '2026-11-24T12:00:00.000Z', data });
    return createSender(poster, endpoint)({ id, body }, new AbortController().signal);
  };
  expect(await post(secret, 'event-1')).toMatchObject({ status: 204 });
  expect(await post(secret, 'event-1')).toMatchObject({ status: 204 });
  expect(await post(newSecret(), 'event-2')).toMatchObject({ status: 401 });
  expect(await post(secret, 'event-3')).toMatchObject({ status: 204 });
  await expect.poll(() => lines.slice(1)).toHaveLength(2);
  await poster.close();
});
