import type { dryRunRetry, readBulkRetry } from '../failures/bulk-retry.ts';
import type { groupFailures } from '../failures/groups.ts';
import type { readActivity } from './activity.ts';
import type { Look } from './consistency.ts';
import type { readOnboarding } from './lead.ts';
import type { readQueues } from './queues.ts';

/** What the `/ops` API answers, for those who show it. */
type Answer<Read extends (...args: never[]) => Promise<unknown>> = Awaited<ReturnType<Read>>;

export type Activity = Answer<typeof readActivity>;
export type Minute = Activity['minutes'][number];
export type Queues = Answer<typeof readQueues>;
export type Queue = Queues['queues'][number];
export type Failures = Answer<typeof groupFailures>;
export type FailureGroup = Failures['items'][number];
export type Retry = Answer<typeof readBulkRetry>;
export type RetryDryRun = Answer<typeof dryRunRetry>;
/** One page of a comparison. */
export type Consistency = Look & { repaired: number };
export type LeadOnboarding = Answer<typeof readOnboarding>;
