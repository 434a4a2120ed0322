import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { World } from '../world/world.ts';

/** What Postgres has of the leads of one organization. */
export interface Outcome {
  leadIds: string[];
  emails: number;
  /** How many leads are in each state of onboarding. */
  states: Record<string, number>;
  notifications: { id: string; leadId: string; assignment: number }[];
  outbox: { kind: string; status: string }[];
}

/** @returns the leads of an organization whose onboarding was over at a time */
export async function readOver({ database }: World, organizationId: string, at: Date): Promise<string[]> {
  const { rows } = await database.query<{ id: string }>(
    `SELECT lead_id AS id FROM lead_event WHERE organization_id = $1 AND type = 'onboarding.completed' AND at <= $2`,
    [organizationId, at],
  );
  return rows.map(({ id }) => id);
}

/** Reads it; a database that is just coming back is waited for. */
export async function readOutcome(world: World, organizationId: string): Promise<Outcome> {
  const read = async <Row extends pg.QueryResultRow>(text: string) =>
    (await patiently(() => world.database.query<Row>(text, [organizationId]))).rows;
  const leads = await read<{ id: string; email: string; state: string }>(
    'SELECT id, email, onboarding_state AS state FROM lead_view WHERE organization_id = $1',
  );
  const states: Record<string, number> = {};
  for (const { state } of leads) states[state] = (states[state] ?? 0) + 1;
  return {
    leadIds: leads.map(({ id }) => id),
    emails: new Set(leads.map(({ email }) => email)).size,
    states,
    notifications: await read(
      'SELECT id, lead_id AS "leadId", assignment FROM notification WHERE organization_id = $1',
    ),
    outbox: await read('SELECT kind, status FROM outbox WHERE organization_id = $1'),
  };
}

/**
 * Waits until all leads of an organization are onboarded and nothing is left to do for them.
 * @returns the milliseconds that it took
 * @throws Error that says how far it got
 */
export async function untilOnboarded(world: World, organizationId: string, withinMs: number): Promise<number> {
  const startedAt = performance.now();
  for (;;) {
    const { leadIds, states, outbox } = await readOutcome(world, organizationId);
    const isDone = states['COMPLETED'] === leadIds.length && outbox.length === 0;
    const elapsedMs = performance.now() - startedAt;
    if (isDone) return elapsedMs;
    if (elapsedMs > withinMs) {
      const left = JSON.stringify({ states, outbox: outbox.slice(0, 5) });
      throw new Error(`Not onboarded after ${withinMs} ms: ${left}`);
    }
    await sleep(250);
  }
}

const PATIENCE = 40;

async function patiently<T>(read: () => Promise<T>, attempt = 1): Promise<T> {
  try {
    return await read();
  } catch (err) {
    if (attempt === PATIENCE) throw err;
    await sleep(250);
    return patiently(read, attempt + 1);
  }
}
