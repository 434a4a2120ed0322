import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';

/** For which nobody else may, since the holder took it last: a holder that died is followed by another. */
const LEASE_S = 30;

/** The right to do what one process at a time is to do. No connection is held for it. */
export interface Lease {
  /**
   * Takes it, or keeps it for another while.
   * @returns false while somebody else has it
   */
  take(): Promise<boolean>;
  /** Leaves it to others at once. */
  release(): Promise<void>;
}

/** The lease of that name, for a holder of its own. */
export function openLease(pool: Pool, name: string): Lease {
  const holder = randomUUID();
  return {
    async take() {
      const { rowCount } = await pool.query({
        name: 'take_lease',
        text: `INSERT INTO lease AS l (name, holder, until)
               VALUES ($1, $2, clock_timestamp() + ${LEASE_S} * interval '1 second')
               ON CONFLICT (name) DO UPDATE SET holder = EXCLUDED.holder, until = EXCLUDED.until
                 WHERE l.holder = EXCLUDED.holder OR l.until <= clock_timestamp()`,
        values: [name, holder],
      });
      return rowCount === 1;
    },
    async release() {
      await pool.query('DELETE FROM lease WHERE name = $1 AND holder = $2', [name, holder]);
    },
  };
}
