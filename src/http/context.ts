import type { Pool } from 'pg';
import type { PrismaClient } from '../db/generated/client.ts';
import type { IntakeSettings } from '../leads/intake.ts';
import type { Logger } from '../logger.ts';
import type { InboxWatch } from '../notifications/watch.ts';
import type { OnboardingRuns } from '../onboarding/runs.ts';
import type { FastStart } from '../outbox/fast-start.ts';

/** All that the API touches. */
export interface AppDependencies {
  pool: Pool;
  prisma: PrismaClient;
  fastStart: FastStart;
  runs: OnboardingRuns;
  intake: IntakeSettings;
  inboxWatch: InboxWatch;
  /** Addresses or ranges (CIDR) of proxies whose `x-forwarded-for` is believed. */
  trustedProxies: readonly string[];
  log: Logger;
}

/** What middleware leaves for the handlers. */
export interface HttpEnv {
  Variables: { requestId: string };
}
