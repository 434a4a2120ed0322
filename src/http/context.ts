import type { Client } from '@temporalio/client';
import type { Pool } from 'pg';
import type { Keyring, OperatorKey, VerifiedKey } from '../api-keys/keyring.ts';
import type { Share } from '../db/fair-share.ts';
import type { PrismaClient } from '../db/generated/client.ts';
import type { Tenant } from '../db/tenant.ts';
import type { FeedWatch } from '../events/watch.ts';
import type { FormTokens } from '../forms/token.ts';
import type { IntakeSettings } from '../leads/intake-request.ts';
import type { AllowedHosts } from '../safe-fetch/allowed-hosts.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { InboxAnnouncer } from '../notifications/announce.ts';
import type { InboxWatch } from '../notifications/watch.ts';
import type { OnboardingRuns } from '../onboarding/runs.ts';
import type { FastStart } from '../outbox/fast-start.ts';
import type { RateLimiter } from '../rate-limit/limiter.ts';

/** What the paths under `/ops` touch: rows of all organizations, which the role of the API does not see. */
export interface OperatorDependencies {
  pool: Pool;
  prisma: PrismaClient;
  /** `off`: whoever calls may do everything. */
  keyring: Keyring<OperatorKey> | 'off';
  temporal: { readonly client: Client };
}

/** All that the API touches. */
export interface AppDependencies {
  /** For requests, as `prisma` is: with keys, under the role of the API. */
  pool: Pool;
  prisma: PrismaClient;
  /** For what must be answered while requests have all connections of `pool`: whether the process is ready. */
  healthPool: Pool;
  /** `off`: whoever calls may do everything. */
  keyring: Keyring | 'off';
  /** Of the tokens that open streams in place of a key; without it none does. */
  streamKeyring?: Keyring | undefined;
  operators: OperatorDependencies;
  /** What an organization may have of the connections for requests. */
  share: Share;
  fastStart: FastStart;
  /** Milliseconds until an answer has begun, or is 503. */
  answerWithinMs: number;
  runs: OnboardingRuns;
  intake: IntakeSettings;
  /** What webhooks may be sent to whatever its address is. */
  webhookHosts: AllowedHosts;
  inboxWatch: InboxWatch;
  feedWatch: FeedWatch;
  inboxAnnouncer: Pick<InboxAnnouncer, 'announce'>;
  /** Addresses or ranges (CIDR) of proxies whose `x-forwarded-for` is believed. */
  trustedProxies: readonly string[];
  rateLimiter: RateLimiter | 'off';
  /** Pages of these origins may use the API. */
  corsOrigins: readonly string[];
  formTokens: FormTokens;
  /** Where visitors may be sent after a form. */
  formReturnOrigins: readonly string[];
  log: Logger;
  /** Where requests are measured; without it they are not. */
  metrics?: Metrics | undefined;
}

/** What middleware leaves for the handlers. */
export interface HttpEnv {
  Variables: {
    requestId: string;
    /** Undefined when the API works without keys. */
    key: VerifiedKey | undefined;
    /** Of a request for `/ops`, which has no key of an organization; undefined when the API works without keys. */
    operator: OperatorKey | undefined;
    /** Fails once the key is no longer accepted: for answers that go on and on. */
    confirmKey: () => Promise<unknown>;
    /** Counts what a request asks for beyond the one that it is. Throws a 429 when that is too much. */
    countMore: (requests: number) => void;
    /** The only way of a route to the rows of the database. */
    tenant: Tenant;
  };
}
