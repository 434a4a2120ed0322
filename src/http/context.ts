import type { Pool } from 'pg';
import type { PrismaClient } from '../db/generated/client.ts';
import type { FormTokens } from '../forms/token.ts';
import type { IntakeSettings } from '../leads/intake.ts';
import type { Logger } from '../logger.ts';
import type { OnboardingRuns } from '../onboarding/runs.ts';
import type { FastStart } from '../outbox/fast-start.ts';
import type { RateLimiter } from '../rate-limit/limiter.ts';

/** All that the API touches. */
export interface AppDependencies {
  pool: Pool;
  prisma: PrismaClient;
  fastStart: FastStart;
  runs: OnboardingRuns;
  intake: IntakeSettings;
  /** Addresses or ranges (CIDR) of proxies whose `x-forwarded-for` is believed. */
  trustedProxies: readonly string[];
  rateLimiter: RateLimiter | 'off';
  /** Pages of these origins may use the API. */
  corsOrigins: readonly string[];
  formTokens: FormTokens;
  /** Where visitors may be sent after a form. */
  formReturnOrigins: readonly string[];
  log: Logger;
}

/** What middleware leaves for the handlers. */
export interface HttpEnv {
  Variables: { requestId: string };
}
