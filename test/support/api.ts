import type { Client } from '@temporalio/client';
import { formSecretReader } from '../../src/forms/secret.ts';
import { createFormTokens, type FormTokens } from '../../src/forms/token.ts';
import type { Keyring, OperatorKey } from '../../src/api-keys/keyring.ts';
import { createShare, type Share, unshared } from '../../src/db/fair-share.ts';
import { createApp } from '../../src/http/app.ts';
import { createInboxAnnouncer } from '../../src/notifications/announce.ts';
import { watchFeeds } from '../../src/events/watch.ts';
import { allowHosts } from '../../src/safe-fetch/allowed-hosts.ts';
import { createWatchers } from '../../src/streams/watchers.ts';
import { watchInboxes } from '../../src/notifications/watch.ts';
import { createOnboardingRuns } from '../../src/onboarding/runs.ts';
import { carryOut } from '../../src/outbox/carry-out/carry-out.ts';
import { createFastStart } from '../../src/outbox/fast-start.ts';
import type { Order } from '../../src/outbox/order.ts';
import type { RateLimiter } from '../../src/rate-limit/limiter.ts';
import type { Metrics } from '../../src/telemetry/metrics.ts';
import { onboardingWorkflowId } from '../../workflows/contract.ts';
import { rescoreWorkflowId } from '../../workflows/rescore-contract.ts';
import { bulkRetryWorkflowId } from '../../workflows/retry-contract.ts';
import type { TestDatabase } from './database.ts';
import { recordLog } from './log.ts';
import { SEED_LEAD, test as base } from './onboarding.ts';
import { PATIENCE_MS } from './patience.ts';
import { createTestClient } from './temporal.ts';

/** What a caller of the API sees of an answer: JSON as a value, anything else as text. */
export interface Answer<Body = unknown> {
  status: number;
  headers: Headers;
  text: string;
  body: Body;
}

export type Call = <Body>(
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<Answer<Body>>;

export interface Page<Item> {
  items: Item[];
  nextCursor: string | null;
}

export interface TestApiOptions {
  /** Another Temporal than the tests' own. */
  client?: Client;
  /** Orders carried out at once; with 0 they all stay in the outbox. */
  slots?: number;
  trustedProxies?: string[];
  /** By default nobody is limited. */
  rateLimiter?: RateLimiter;
  corsOrigins?: string[];
  /** By default forms may be sent as soon as they are shown. */
  formTokens?: FormTokens;
  formReturnOrigins?: string[];
  /** By default nobody needs a key. */
  keyring?: Keyring | 'off';
  streamKeyring?: Keyring;
  /** By default nobody needs a key for `/ops`. */
  operatorKeyring?: Keyring<OperatorKey> | 'off';
  /** For what belongs to no caller; by default the same as for requests. */
  own?: Pick<TestDatabase, 'pool' | 'prisma'>;
  maxWatchers?: number;
  /** By default as long as a busy machine may take. */
  answerWithinMs?: number;
  /** By default half of ten connections where keys are needed, as in production. */
  share?: Share;
  /** By default nothing is measured. */
  metrics?: Metrics;
}

const runOf = (order: Order): string =>
  order.kind === 'RESCORE_LEADS'
    ? rescoreWorkflowId(order.payload.rescoreId)
    : order.kind === 'RETRY_LEADS'
      ? bulkRetryWorkflowId(order.payload.retryId)
      : onboardingWorkflowId(order.leadId);

let leads = 0;

/** The seed's lead with an e-mail of its own. */
export const newLead = (change: Record<string, unknown> = {}) => {
  leads += 1;
  return { ...SEED_LEAD, email: `joao+${leads}@example.com`, ...change };
};

/** The real app on a test's database and the real Temporal server, called without a socket. */
export function createTestApi(
  { pool, prisma }: Pick<TestDatabase, 'pool' | 'prisma'>,
  {
    client = createTestClient(),
    slots = 8,
    trustedProxies = [],
    keyring = 'off',
    streamKeyring,
    operatorKeyring = 'off',
    own = { pool, prisma },
    maxWatchers = 100,
    share = keyring === 'off' ? unshared : createShare({ atOnce: 5, waitMs: 1_500 }),
    ...guards
  }: TestApiOptions = {},
) {
  const { log, lines } = recordLog();
  const searchAttributes = { known: true, forget: () => undefined };
  const started = new Set<string>();
  const fastStart = createFastStart({
    pool: own.pool,
    log,
    slots,
    carryOut: async (order) => {
      await carryOut({ client, searchAttributes, log }, order);
      started.add(runOf(order));
    },
  });
  const stopping = new AbortController();
  const watchers = createWatchers({ stopping: stopping.signal, max: maxWatchers, fair: keyring !== 'off' });
  const inboxWatch = watchInboxes({ pool: own.pool, log, watchers });
  const feedWatch = watchFeeds({ pool: own.pool, watchers });
  const inboxAnnouncer = createInboxAnnouncer(own.pool);
  const app = createApp({
    pool,
    prisma,
    healthPool: own.pool,
    keyring,
    streamKeyring,
    operators: { ...own, keyring: operatorKeyring, temporal: { client } },
    share,
    fastStart,
    answerWithinMs: PATIENCE_MS,
    runs: createOnboardingRuns({ client }, 'http://127.0.0.1:8233'),
    intake: { enrichmentDelayMs: 50, idempotencyTtlHours: 24 },
    trustedProxies,
    webhookHosts: allowHosts(['127.0.0.1']),
    inboxWatch,
    feedWatch,
    inboxAnnouncer,
    rateLimiter: 'off',
    corsOrigins: [],
    formTokens: createFormTokens({ readSecret: formSecretReader(own.pool), minAgeMs: 0, maxAgeMs: 60_000 }),
    formReturnOrigins: [],
    ...guards,
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
    const text = await textOf(response);
    const isJson = text !== '' && /[/+]json/.test(response.headers.get('content-type') ?? '');
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: (isJson ? JSON.parse(text) : text) as never,
    };
  };
  /** Ends the runs that were started here, so that the workers of later tests do not find them. */
  const close = async () => {
    stopping.abort();
    await inboxWatch.close();
    await feedWatch.idle();
    await fastStart.idle();
    await inboxAnnouncer.idle();
    const ends = [...started].map((id) => client.workflow.getHandle(id).terminate('the test is over'));
    await Promise.allSettled(ends);
    await client.connection.close();
  };
  return {
    app,
    call,
    log: lines,
    idle: () => fastStart.idle(),
    streams: () => watchers.size,
    /** What a signal to stop does to streams. */
    stop: () => stopping.abort(),
    close,
  };
}

/** All of an answer; of one that goes on and on the first part. */
async function textOf(response: Response): Promise<string> {
  if (response.headers.get('content-type') !== 'text/event-stream') return response.text();
  if (response.body === null) return ''; // of a HEAD
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const { value } = await reader.read();
  await reader.cancel();
  return Buffer.from(value ?? []).toString();
}

export type TestApi = ReturnType<typeof createTestApi>;

export const test = base.extend<{ slots: number; trustedProxies: string[]; api: TestApi }>({
  slots: 8,
  trustedProxies: ['127.0.0.1', '10.0.0.0/8'],
  api: async ({ database, slots, trustedProxies }, use) => {
    const api = createTestApi(database, { slots, trustedProxies });
    await use(api);
    await api.close();
  },
});

/** Nothing is started: all orders stay in the outbox. A test of its own, for files of one process share theirs. */
export const testWithoutStarts = test.extend({ slots: 0 });
