import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Readiness } from './part.ts';

const POLL_MS = 50;
const ANSWER_WITHIN_MS = 2_000;

/** Resolves once a part is ready; rejects when the signal aborts. */
export async function waitUntilReady(readiness: Readiness, signal: AbortSignal): Promise<void> {
  while (!(await isReady(readiness))) {
    await sleep(POLL_MS, undefined, { signal });
  }
  signal.throwIfAborted();
}

async function isReady(readiness: Readiness): Promise<boolean> {
  switch (readiness.kind) {
    case 'http':
      return answersOk(readiness.url);
    case 'postgres':
      return answersQuery(readiness.connectionString);
  }
}

async function answersOk(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
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
