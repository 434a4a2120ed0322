import type { Target } from '../support/load.ts';
import type { Running } from '../support/processes.ts';

/** One of the designs that a bench measures beside each other. */
export interface Side {
  name: string;
  /** Brings up all its processes but Postgres, on an empty database; resolves once they do their work. */
  start(): Promise<StartedSide>;
}

export interface StartedSide extends Target {
  databaseUrl: string;
  /** One of them is called `api`. */
  processes: Running[];
  /** Ends all of it at once, with what it has not done yet, and drops its database. */
  end(): Promise<void>;
}

/** Which side comes first changes from round to round. */
export const inTurns = <T>(sides: readonly T[], round: number): T[] =>
  round % 2 === 0 ? [...sides] : sides.toReversed();

/**
 * Does work with a side that is started for it alone, and ended after it: only one side works at any time, and none has
 * what an earlier round left.
 */
export async function withSide<T>(side: Side, work: (started: StartedSide) => Promise<T>): Promise<T> {
  const started = await side.start();
  try {
    return await work(started);
  } finally {
    await started.end();
  }
}
