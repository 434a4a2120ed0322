import { z } from 'zod';
import type { StepEnd } from '../../temporal/step-metrics.ts';

/** More of an error's message is not kept. */
const MAX_REASON = 200;

const aboutLead = z.object({ leadId: z.uuid(), organizationId: z.string() });

/** A row of the ledger, in the columns' names. */
export type AttemptRow = NonNullable<ReturnType<typeof toAttemptRow>>;

/** An attempt → its row; undefined when it is not about a lead, as that of a page of a rescore. */
export function toAttemptRow(end: StepEnd) {
  const { data: about } = aboutLead.safeParse(end.input);
  if (!about) return undefined;
  return {
    lead_id: about.leadId,
    organization_id: about.organizationId,
    step: end.step,
    task_queue: end.taskQueue,
    worker: end.worker,
    run_id: end.runId,
    activity_id: end.activityId,
    attempt: end.attempt,
    scheduled_at: end.scheduledAt,
    started_at: end.startedAt,
    ended_at: new Date(end.startedAt.getTime() + end.seconds * 1_000),
    outcome: end.outcome,
    error_type: end.failure ? storable(end.failure.type) : null,
    reason: end.failure ? storable(end.failure.message) : null,
  };
}

/** Postgres takes neither NUL nor half a surrogate pair. */
const storable = (text: string) => text.replaceAll('\0', '').slice(0, MAX_REASON).toWellFormed();
