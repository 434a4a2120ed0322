import type { Pool, PoolClient } from 'pg';

/** Does work in one transaction, on a connection of its own: when it throws, nothing is stored. */
export async function withTransaction<T>(pool: Pool, work: (tx: PoolClient) => Promise<T>): Promise<T> {
  const tx = await pool.connect();
  let fault: Error | undefined;
  try {
    await tx.query('BEGIN');
    const answer = await work(tx);
    await tx.query('COMMIT');
    return answer;
  } catch (err) {
    fault = err instanceof Error ? err : new Error(String(err));
    await tx.query('ROLLBACK').then(
      () => (fault = undefined),
      () => undefined,
    );
    throw err;
  } finally {
    tx.release(fault); // one that cannot be rolled back is not used again
  }
}
