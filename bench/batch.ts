import { unshared } from '../src/db/fair-share.ts';
import { ANSWER_WITHIN_MS } from '../src/http/answers/deadline.ts';
import { createApp } from '../src/http/app.ts';
import type { AppDependencies } from '../src/http/context.ts';
import { listen } from '../src/http/server/listen.ts';
import { EXAMPLE_LEAD } from '../src/leads/example-lead.ts';
import { MAX_LEADS_OF_BATCH } from '../src/leads/intake-batch.ts';
import { freePort } from '../src/local/ports.ts';
import { createFastStart } from '../src/outbox/fast-start.ts';
import { createLogger } from '../src/telemetry/logger.ts';
import { type BenchDatabase, withPostgres } from './postgres.ts';
import { median, percentile } from './support/statistics.ts';

/** What a lead takes by itself and what a batch of 100 takes, over HTTP, one after the other; nothing is onboarded. */
const ROUNDS = Number(process.argv[2] ?? 100);
const { organizationId, ...lead } = EXAMPLE_LEAD;
const round = (value: number) => Math.round(value * 10) / 10;
let leads = 0;
const next = () => ({ ...lead, email: `lead-${(leads += 1)}@example.com` });

await withPostgres(async (database) => {
  const port = await freePort();
  const stop = await listen(appOf(database).fetch, { host: '127.0.0.1', port });
  const base = `http://127.0.0.1:${port}/api/leads`;
  const one = () => post(base, { organizationId, ...next() }, 201);
  const batch = () =>
    post(`${base}/batch`, { organizationId, leads: Array.from({ length: MAX_LEADS_OF_BATCH }, next) }, 200);
  for (let i = 0; i < 200; i += 1) await one(); // plans, caches, and what V8 compiles
  for (let i = 0; i < 20; i += 1) await batch();
  const times: Record<'one' | 'batch', number[]> = { one: [], batch: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    times.one.push(await one());
    times.batch.push(await batch());
  }
  const row = (values: number[]) => ({ 'p50 ms': round(median(values)), 'p90 ms': round(percentile(values, 0.9)) });
  console.table({ 'one lead': row(times.one), [`a batch of ${MAX_LEADS_OF_BATCH}`]: row(times.batch) });
  console.log(`A batch takes ${round(median(times.batch) / median(times.one))} times what one lead takes (goal: 5).`);
  await stop();
});

/** @returns the milliseconds until the whole answer was there */
async function post(url: string, body: object, expected: number): Promise<number> {
  const startedAt = performance.now();
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  await answer.text();
  if (answer.status !== expected) throw new Error(`answered ${answer.status}`);
  return performance.now() - startedAt;
}

/** The API as it is without keys; whose orders nobody carries out, so that nothing else has a processor. */
function appOf({ pool, prisma }: BenchDatabase) {
  const log = createLogger('bench', 'warn');
  const fastStart = createFastStart({ pool, log, slots: 0, carryOut: () => Promise.resolve() });
  const unused = { operators: { keyring: 'off' } } as Pick<
    AppDependencies,
    'runs' | 'inboxWatch' | 'feedWatch' | 'inboxAnnouncer' | 'formTokens' | 'operators' | 'webhookHosts'
  >;
  return createApp({
    ...unused,
    pool,
    prisma,
    healthPool: pool,
    keyring: 'off',
    share: unshared,
    fastStart,
    answerWithinMs: ANSWER_WITHIN_MS,
    intake: { enrichmentDelayMs: 10_000, idempotencyTtlHours: 24 },
    trustedProxies: [],
    rateLimiter: 'off',
    corsOrigins: [],
    formReturnOrigins: [],
    log,
  });
}
