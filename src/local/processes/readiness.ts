import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Readiness } from './part.ts';

const POLL_MS = 50;
const WATCH_EVERY_MS = 2_000;
const ANSWER_WITHIN_MS = 2_000;

/** Resolves once a part is ready; rejects when the signal aborts. */
export async function waitUntilReady(readiness: Readiness, signal: AbortSignal): Promise<void> {
  while (!(await isReady(readiness))) {
    await sleep(POLL_MS, undefined, { signal });
  }
  signal.throwIfAborted();
}

/**
 * Resolves once a part that was ready has answered for so long with nothing but errors; rejects when the signal aborts. One
 * that does not answer is slow, or is about to end: no errors.
 */
export async function waitUntilStuck(readiness: Readiness, forMs: number, signal: AbortSignal): Promise<void> {
  let failingSince: number | undefined;
  for (;;) {
    await sleep(Math.min(WATCH_EVERY_MS, forMs / 4), undefined, { signal });
    const answer = await ask(readiness);
    if (answer === 'ok') failingSince = undefined;
    else if (answer === 'error') failingSince ??= performance.now();
    if (failingSince !== undefined && performance.now() - failingSince >= forMs) return;
  }
}

async function isReady(readiness: Readiness): Promise<boolean> {
  return (await ask(readiness)) === 'ok';
}

type Answer = 'ok' | 'error' | 'none';

async function ask(readiness: Readiness): Promise<Answer> {
  switch (readiness.kind) {
    case 'http':
      return askUrl(readiness.url);
    case 'postgres':
      return (await answersQuery(readiness.connectionString)) ? 'ok' : 'none';
  }
}

async function askUrl(url: string): Promise<Answer> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    await response.body?.cancel();
    return response.ok ? 'ok' : 'error';
  } catch {
    return 'none';
  }
}

async function answersQuery(connectionString: string): Promise<boolean> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: ANSWER_WITHIN_MS });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}
