import { databaseFault } from '../db/faults.ts';
import type { Logger } from '../logger.ts';
import { concernsAll, explainFailure } from '../outbox/failure.ts';

/** What became of something that stood still; what is `reported` is for people. */
export type Verdict = 'under way' | 'ordered again' | 'canceled' | 'reported';
export type Tally = Record<Verdict, number>;

export const emptyTally = (): Tally => ({ 'under way': 0, 'ordered again': 0, canceled: 0, reported: 0 });

/**
 * Looks at a page of leads at once and counts the verdicts. One that cannot be judged holds up no other.
 * @throws the error, when it is one of Temporal or the database as a whole
 */
export async function judgeAll<Seen extends { leadId: string }>(
  page: Seen[],
  judge: (seen: Seen) => Promise<Verdict>,
  { tally, log }: { tally: Tally; log: Logger },
): Promise<void> {
  const results = await Promise.allSettled(page.map(judge));
  for (const [index, result] of results.entries()) {
    if (result.status === 'fulfilled') {
      tally[result.value] += 1;
      continue;
    }
    const err: unknown = result.reason;
    if (concernsAll(explainFailure(err).kind) || databaseFault(err)) throw err;
    tally.reported += 1;
    log.error({ leadId: page[index]?.leadId, err }, 'lead not reconciled');
  }
}
