import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { verify } from '../checks/verify.ts';
import { LeadLoad } from '../load/lead-load.ts';
import type { Scenario } from '../scenario.ts';

const COUNT = 200;

/** The same form, sent over and over at once. */
const identicalPosts = (title: string, keyOf: (index: number) => string): Scenario => ({
  title,
  inShort: true,
  async run({ world }) {
    const load = new LeadLoad(world);
    await load.postAlike(COUNT, keyOf);
    const acknowledged = load.truth.read();
    expect(acknowledged).toHaveLength(COUNT);
    expect(new Set(acknowledged.map(({ id }) => id)).size).toBe(1);
    const { rows } = await world.database.query<{ touches: number }>(
      `SELECT count(*)::int AS touches FROM lead_event WHERE organization_id = $1 AND type = 'lead.touched'`,
      [load.organizationId],
    );
    return { answers: COUNT, ids: 1, touches: rows[0]?.touches ?? NaN, ...(await verify(world, load)) };
  },
});

const key = randomUUID();
export const identicalLeads = identicalPosts('200 callers send the same lead at once', () => randomUUID());
export const identicalRequests = identicalPosts('one request is sent 200 times at once, with its key', () => key);
