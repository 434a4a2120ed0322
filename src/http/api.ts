import type { Hono } from 'hono';
import type { ExtractSchema } from 'hono/types';
import type { HttpEnv } from './context.ts';
import type { auditRoutes } from './routes/audit.ts';
import type { enrichmentRoutes } from './routes/enrichment.ts';
import type { keyRoutes } from './routes/keys.ts';
import type { leadArchiveRoutes } from './routes/lead-archive.ts';
import type { leadBatchRoutes } from './routes/lead-batch.ts';
import type { leadIntakeRoutes } from './routes/lead-intake.ts';
import type { leadRoutes } from './routes/leads.ts';
import type { meRoutes } from './routes/me.ts';
import type { notificationStreamRoutes } from './routes/notification-stream.ts';
import type { notificationRoutes } from './routes/notifications.ts';
import type { onboardingRoutes } from './routes/onboarding.ts';
import type { personalDataRoutes } from './routes/personal-data.ts';
import type { rescoreRoutes } from './routes/rescores.ts';
import type { scoreRuleRoutes } from './routes/score-rules.ts';
import type { scoreRoutes } from './routes/scores.ts';
import type { streamTokenRoutes } from './routes/stream-tokens.ts';
import type { timelineRoutes } from './routes/timeline.ts';

type SchemaOf<Routes extends (...args: never[]) => unknown> = ExtractSchema<ReturnType<Routes>>;

/** Says whether an empty object will do: for a part that takes nothing, or nothing but optional members. */
type MayBeEmpty<Part> = string extends keyof Part ? true : object extends Part ? true : false;

/** An input of a call, where such parts may be left out. */
type Relaxed<Input> = {
  [Part in keyof Input as MayBeEmpty<Input[Part]> extends true ? Part : never]?: Input[Part];
} & { [Part in keyof Input as MayBeEmpty<Input[Part]> extends true ? never : Part]: Input[Part] };

/** A call has one of these for each status that it may be answered with. */
type RelaxedCall<Call> = Call extends { input: infer Input } ? Omit<Call, 'input'> & { input: Relaxed<Input> } : Call;

type Callable<Routes> = {
  [Path in keyof Routes]: { [Method in keyof Routes[Path]]: RelaxedCall<Routes[Path][Method]> };
};

/** Everything under `/api`, as a type: what `hono/client` makes its calls from. */
export type Api = Hono<
  HttpEnv,
  Callable<
    SchemaOf<typeof auditRoutes> &
      SchemaOf<typeof enrichmentRoutes> &
      SchemaOf<typeof keyRoutes> &
      SchemaOf<typeof leadArchiveRoutes> &
      SchemaOf<typeof leadBatchRoutes> &
      SchemaOf<typeof leadIntakeRoutes> &
      SchemaOf<typeof leadRoutes> &
      SchemaOf<typeof meRoutes> &
      SchemaOf<typeof notificationRoutes> &
      SchemaOf<typeof notificationStreamRoutes> &
      SchemaOf<typeof onboardingRoutes> &
      SchemaOf<typeof personalDataRoutes> &
      SchemaOf<typeof rescoreRoutes> &
      SchemaOf<typeof scoreRoutes> &
      SchemaOf<typeof scoreRuleRoutes> &
      SchemaOf<typeof streamTokenRoutes> &
      SchemaOf<typeof timelineRoutes>
  >
>;
