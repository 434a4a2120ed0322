import { databaseFault } from '../db/faults.ts';
import type { Logger } from '../telemetry/logger.ts';
import { concernsAll, explainFailure } from '../outbox/failure.ts';
import type { LatestRun } from './latest-run.ts';

/** What became of something that stood still; what is `reported` is for people. */
export type Verdict = 'under way' | 'ordered again' | 'canceled' | 'reported';
export type Tally = Record<Verdict, number>;

/** How many a pass has looked at in vain. */
export const leftAlone = (tally: Tally): number => tally['under way'] + tally.reported;

export const emptyTally = (): Tally => ({ 'under way': 0, 'ordered again': 0, canceled: 0, reported: 0 });

export interface Judge<Seen> {
  /** Asks Temporal. @returns the run that has ended, or undefined while something is under way. */
  findEnded: (seen: Seen) => Promise<LatestRun | undefined>;
  /** Does in Postgres what the end of the run has left to do. */
  mend: (seen: Seen, run: LatestRun) => Promise<Verdict>;
  log: Logger;
}

/**
 * Judges a page of leads and counts the verdicts: Temporal is asked for all of them at once, Postgres is mended one by
 * one, so that the relay keeps its connections. A lead that cannot be mended holds up no other.
 * @throws the error, when it is one of Temporal or the database as a whole
 */
export async function judgePage<Seen extends { leadId: string }>(
  page: Seen[],
  { findEnded, mend, log }: Judge<Seen>,
  tally: Tally,
): Promise<void> {
  const answers = await Promise.allSettled(page.map(findEnded));
  for (const [index, seen] of page.entries()) {
    const answer = answers[index];
    try {
      if (answer?.status === 'rejected') throw answer.reason;
      const verdict = answer?.value ? await mend(seen, answer.value) : 'under way';
      tally[verdict] += 1;
    } catch (err) {
      if (concernsAll(explainFailure(err).kind) || databaseFault(err)) throw err;
      tally.reported += 1;
      log.error({ leadId: seen.leadId, err }, 'lead not reconciled');
    }
  }
}
