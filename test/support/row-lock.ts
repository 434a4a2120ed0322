import { expect, onTestFinished } from 'vitest';
import type { TestDatabase } from './database.ts';

const WAITERS = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;

/** Locks a lead's row, as another transaction would, until it is released or the test ends. */
export const holdLead = (database: TestDatabase, leadId: string) =>
  hold(database, leadId, `SELECT 1 FROM lead WHERE id = '${leadId}' FOR UPDATE`);

/** Locks an order, as a copy of the relay does while it takes it. */
export const holdOrder = (database: TestDatabase, id: string) =>
  hold(database, '', `SELECT 1 FROM outbox WHERE id = '${id}' FOR UPDATE`);

/** Locks a table against writing. */
export const holdTable = (database: TestDatabase, table: string) =>
  hold(database, '', `LOCK TABLE ${table} IN SHARE MODE`);

async function hold({ pool }: TestDatabase, leadId: string, lock: string) {
  const client = await pool.connect();
  let held = true;
  const end = async (statement: 'ROLLBACK' | 'COMMIT') => {
    if (!held) return;
    held = false;
    await client.query(statement).finally(() => client.release());
  };
  const release = () => end('ROLLBACK');
  onTestFinished(release);
  await client.query('BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0');
  await client.query(lock);
  return {
    release,
    /** Changes the lead, and lets it go. */
    async change(assignments: string) {
      await client.query(`UPDATE lead SET ${assignments} WHERE id = $1`, [leadId]);
      await end('COMMIT');
    },
    /** Resolves when somebody waits for it. */
    contended: () => expect.poll(async () => (await pool.query(WAITERS)).rowCount, { interval: 20 }).toBe(1),
  };
}
