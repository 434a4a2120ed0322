import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { freePort } from '../../../src/local/ports.ts';
import { runEntry } from '../../support/run-entry.ts';

const breakdown = [
  { rule: 'phone', points: 10, reason: 'a phone number' },
  { rule: 'free-mail', points: -5, reason: 'a free mail address' },
];
const timeline = [
  { id: '1', type: 'lead.created', elapsedMs: 0, data: {} },
  { id: '2', type: 'enrichment.partial', elapsedMs: 10_012, data: { reason: 'ProviderDown' } },
  { id: '3', type: 'score.calculated', elapsedMs: 10_030, data: { score: 5, band: 'COLD', breakdown } },
  { id: '4', type: 'onboarding.completed', elapsedMs: 10_031, data: { state: 'PARTIAL' } },
];

/** An API whose timeline grows by one entry with each look at it. */
async function serveApi(duplicate: boolean) {
  const bodies: unknown[] = [];
  let looks = 0;
  const answerTo = async (request: IncomingMessage) => {
    if (request.method === 'POST') {
      bodies.push(await json(request));
      return { id: 'lead-1', name: 'João Silva', ...(duplicate && { duplicate }) };
    }
    if (request.url?.endsWith('/onboarding')) return { temporalUrl: 'http://127.0.0.1:8233/run' };
    looks += 1;
    return { items: timeline.slice(0, looks), nextCursor: null };
  };
  const server = createServer((request, response) => {
    void answerTo(request).then((answer) => response.end(JSON.stringify(answer)));
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, bodies };
}

it('shows each step of a lead once, then its score and where to look', async () => {
  const { url, bodies } = await serveApi(false);
  const { code, stdout } = await runEntry('local/demo/demo', ['--url', url], {});
  expect(code).toBe(0);
  expect(bodies).toMatchObject([
    { name: 'João Silva', email: expect.stringMatching(/^joao\+\w+@example\.com$/) as string },
  ]);
  const steps = stdout.split('\n').filter((line) => line.includes('T+'));
  expect(steps.map((line) => line.trim().replaceAll(/ +/g, ' '))).toEqual([
    'T+0 ms lead.created the lead and the order to onboard it are stored',
    'T+10.01 s enrichment.partial not every source answered (ProviderDown)',
    'T+10.03 s score.calculated the score is there',
    'T+10.03 s onboarding.completed done (PARTIAL)',
  ]);
  expect(stdout).toContain('Score 5, COLD\n        +10  a phone number\n         -5  a free mail address\n');
  expect(stdout).toContain('Temporal Web UI  http://127.0.0.1:8233/run');
});

it.each([
  [['--keys', 'x'], {}, /--keys/],
  [[], { PORT: 'abc' }, /PORT/],
] as const)('says in a line what it does not take: %j %j', async (args, env, words) => {
  const { code, stderr } = await runEntry('local/demo/demo', [...args], env);
  expect(code).toBe(1);
  expect(stderr).toMatch(words);
  expect(stderr).not.toContain('    at ');
});

it('says that a lead was known already', async () => {
  const { url } = await serveApi(true);
  const { stdout } = await runEntry('local/demo/demo', ['--url', url], {});
  expect(stdout).toContain('is known already');
});

it('says in one line how to start an API that is not running', async () => {
  const port = await freePort();
  const { code, stderr } = await runEntry('local/demo/demo', [], { PORT: String(port) });
  expect(code).toBe(1);
  expect(stderr).toBe(
    `The API does not answer at http://127.0.0.1:${port}: run npm start in another terminal, or say --url\n`,
  );
});
