import { randomUUID } from 'node:crypto';
import type { TestDatabase } from './database.ts';

export interface NewAttempt {
  leadId: string;
  step: string;
  queue?: string;
  /** Seconds before now. */
  endedAgo: number;
  waited?: number;
  ran: number;
  outcome?: string;
  attempt?: number;
  error?: { type: string; message: string };
}

/** Stores an attempt of a step, as its worker would have. */
export async function storeAttempt({ pool }: TestDatabase, attempt: NewAttempt): Promise<void> {
  const { leadId, step, queue = 'lead', endedAgo, waited = 0, ran, outcome = 'completed', error } = attempt;
  const at = (secondsAgo: number) => new Date(Date.now() - secondsAgo * 1_000);
  const row = {
    lead_id: leadId,
    organization_id: 'org-123',
    step,
    task_queue: queue,
    worker: '1@test',
    run_id: randomUUID(),
    activity_id: '1',
    attempt: attempt.attempt ?? 1,
    scheduled_at: at(endedAgo + ran + waited),
    started_at: at(endedAgo + ran),
    ended_at: at(endedAgo),
    outcome,
    error_type: error?.type ?? null,
    reason: error?.message ?? null,
  };
  await pool.query('SELECT note_attempts($1)', [JSON.stringify([row])]);
}

/** Four failures of a step, each of another error, and the attempt that went well after them. */
export const FOUR_ERRORS = [
  { type: 'ProviderBusy', message: 'crm: http-503' },
  { type: 'ProviderSlow', message: 'crm: too-slow' },
  { type: 'PostgresError:40P01', message: 'deadlock detected' },
  { type: 'Timeout:HEARTBEAT', message: 'its worker was gone' },
];

/** Stores them. */
export async function storeFourErrors(database: TestDatabase, leadId: string): Promise<void> {
  const enrich = { leadId, step: 'enrichLead' };
  for (const [index, error] of FOUR_ERRORS.entries())
    await storeAttempt(database, {
      ...enrich,
      endedAgo: 40 - index * 8,
      ran: 1,
      attempt: index + 1,
      outcome: 'failed',
      error,
    });
  await storeAttempt(database, { ...enrich, endedAgo: 1, ran: 0.2, attempt: FOUR_ERRORS.length + 1 });
}
