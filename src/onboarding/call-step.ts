import { ApplicationFailure } from '@temporalio/activity';
import { DatabaseError, type Pool } from 'pg';
import { FAILURES } from '../../workflows/contract.ts';
import { activityOrigin, ownerKey, type StepOwner } from './step-record.ts';

/** The functions that are steps, each with how many parameters it has: made by migrations, where each says what it does. */
const PARAMETERS = {
  notify_assignee: 2,
  notify_reassigned: 3,
  start_enrichment: 1,
  keep_enrichment: 3,
  record_score: 3,
} as const;

/** What every step answers. */
interface StepAnswer {
  /** `recorded`: an earlier run of it has done all; `changed`: what it was given no longer stands, and nothing was done. */
  status: 'open' | 'recorded' | 'changed' | 'gone' | 'closed';
}

/** An answer, once those of a lead that is gone and of a round that is over are thrown. */
type Open<Answer> = Answer & { status: 'open' | 'recorded' | 'changed' };

/**
 * Runs a step in the database: one statement, which is its transaction.
 * @param values its parameters after the step itself
 * @throws ApplicationFailure `LeadGone` or `OnboardingClosed`, not to be retried; pg errors
 */
export async function callStep<Answer extends object>(
  pool: Pool,
  name: keyof typeof PARAMETERS,
  ref: StepOwner,
  ...values: unknown[]
): Promise<Open<Answer>> {
  const { leadId, organizationId } = ref;
  const round = 'round' in ref ? { round: ref.round } : {};
  const step = { leadId, organizationId, owner: ownerKey(ref), ...round, metadata: activityOrigin(ref.requestId) };
  const places = Array.from({ length: PARAMETERS[name] }, (_, index) => `$${index + 1}`).join(', ');
  const statement = {
    name,
    text: `SELECT ${name}(${places}) AS answer`,
    values: [step, ...values].map((value) => (typeof value === 'object' && value ? JSON.stringify(value) : value)),
  };
  const { rows } = await pool.query<{ answer: Answer & StepAnswer }>(statement).catch(nameFault);
  const answer = rows[0]?.answer;
  if (!answer) throw new Error(`${name} answered nothing`);
  if (answer.status === 'gone') throw leadGone(leadId);
  if (answer.status === 'closed') {
    const message = `Round ${round.round} of the onboarding of lead ${leadId} is over`;
    throw ApplicationFailure.nonRetryable(message, FAILURES.onboardingClosed);
  }
  return answer as Open<Answer>;
}

/** The name is what the timeline and Temporal Web UI say of a step that gave up; pg calls all of them `error`. */
function nameFault(err: unknown): never {
  if (err instanceof DatabaseError) Object.assign(err, { name: `PostgresError:${err.code}` });
  throw err;
}

export const leadGone = (leadId: string) =>
  ApplicationFailure.nonRetryable(`Lead ${leadId} does not exist`, FAILURES.leadGone);
