import { createApp } from '../../src/http/app.ts';
import { createOnboardingRuns } from '../../src/onboarding/runs.ts';
import { carryOut } from '../../src/outbox/carry-out.ts';
import { createFastStart } from '../../src/outbox/fast-start.ts';
import { type TestDatabase } from './database.ts';
import { recordLog } from './log.ts';
import { test as base } from './onboarding.ts';
import { createTestClient } from './temporal.ts';

/** What a caller of the API sees of an answer. */
export interface Answer {
  status: number;
  headers: Headers;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests look into it as a caller would
  body: any;
}

export type Call = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>;

/** The real app on a test's database and the real Temporal server, called without a socket. */
export function createTestApi(database: TestDatabase) {
  const client = createTestClient();
  const { log, lines } = recordLog();
  const searchAttributes = { known: true, forget: () => undefined };
  const fastStart = createFastStart({
    pool: database.pool,
    log,
    slots: 8,
    carryOut: (order) => carryOut({ client, searchAttributes, log }, order),
  });
  const app = createApp({
    pool: database.pool,
    prisma: database.prisma,
    fastStart,
    runs: createOnboardingRuns(client, 'http://127.0.0.1:8233'),
    intake: { enrichmentDelayMs: 50, idempotencyTtlHours: 24 },
    trustedProxies: ['127.0.0.1'],
    log,
  });
  /** A string or bytes go as they are; anything else as JSON. */
  const call: Call = async (method, path, body, headers = {}) => {
    const raw = typeof body === 'string' || body instanceof Uint8Array;
    const response = await app.request(path, {
      method,
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: raw ? (body as string) : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') === true;
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  };
  const close = async () => {
    await fastStart.idle();
    await client.connection.close();
  };
  return { app, call, log: lines, idle: () => fastStart.idle(), close };
}

export const test = base.extend<{ api: ReturnType<typeof createTestApi> }>({
  api: async ({ database }, use) => {
    const api = createTestApi(database);
    await use(api);
    await api.close();
  },
});
