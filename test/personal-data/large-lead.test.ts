import { describe, expect } from 'vitest';
import { createLeadActivities } from '../../activities/lead.ts';
import { builtInProviders } from '../../src/enrichment/built-in.ts';
import { BATCH } from '../../src/personal-data/erase.ts';
import { sweepErasures } from '../../src/personal-data/sweep-erasures.ts';
import { runActivity } from '../support/activity.ts';
import type { Lead } from '../../src/leads/lead.ts';
import { newLead, test } from '../support/api.ts';
import type { TestDatabase } from '../support/database.ts';
import { recordLog } from '../support/log.ts';
import { takeIn } from '../support/onboarding.ts';
import { expectProblem } from '../support/problem.ts';
import { rowsRead } from '../support/rows.ts';
import { takeInOld } from './retention/old-leads.ts';

/** More than one batch of an erasure. */
const ENTRIES = 12_000;

const fill = ({ pool }: TestDatabase, leadId: string, type = 'entry') =>
  pool.query(
    `INSERT INTO lead_event (id, lead_id, organization_id, type, data, at)
     SELECT gen_random_uuid(), $1, 'org-123', $2, '{"name": "João"}', now() - interval '400 days'
     FROM generate_series(1, $3)`,
    [leadId, type, ENTRIES],
  );

const entriesOf = ({ prisma }: TestDatabase, leadId: string) => prisma.leadEvent.count({ where: { leadId } });

const sweep = ({ pool }: TestDatabase, log = recordLog().log) => sweepErasures(pool, log, new AbortController().signal);

describe('a lead with a long timeline', () => {
  test('is erased at once for all who ask, and relays delete what is left of it', async ({ api, database }) => {
    const { leadId } = await takeIn(database);
    await fill(database, leadId);
    expect(await api.call('DELETE', `/api/leads/${leadId}`)).toMatchObject({
      status: 202,
      body: { status: 'erasing' },
    });

    expect(await api.call('GET', `/api/leads/${leadId}`)).toMatchObject({ status: 404 });
    const timeline = await api.call('GET', `/api/leads/${leadId}/timeline?limit=500`);
    expect(timeline).toMatchObject({ status: 200, body: { items: [{ type: 'lead.erased' }], nextCursor: null } });
    expect(await entriesOf(database, leadId)).toBeGreaterThan(1);

    expect(await sweep(database)).toBe(1);
    expect(await entriesOf(database, leadId)).toBe(1);
    expect(await sweep(database)).toBe(0);
  });

  test('answers no repetition of a request with what it was, before relays have deleted all', async ({
    api,
    database,
  }) => {
    const key = { 'idempotency-key': 'of a long lead' };
    const lead = newLead();
    const { body } = await api.call<Lead>('POST', '/api/leads', lead, key);
    const change = { 'idempotency-key': 'of its change' };
    const patch = () => api.call('PATCH', `/api/leads/${body.id}`, { name: 'Ana' }, change);
    expect((await patch()).status).toBe(200);
    await fill(database, body.id);
    await api.call('DELETE', `/api/leads/${body.id}`);
    // as if relays had more kept answers to forget than one transaction may
    await database.pool.query(`UPDATE idempotency_key SET response = '{"kept": "João"}' WHERE lead_id = $1`, [body.id]);
    expectProblem(await api.call('POST', '/api/leads', lead, key), 410, 'lead-erased');
    expectProblem(await patch(), 410, 'lead-erased');
  });

  test('is deleted once by several relays at the same time', async ({ api, database }) => {
    const { leadId } = await takeIn(database);
    await fill(database, leadId);
    await api.call('DELETE', `/api/leads/${leadId}`);
    await Promise.all([1, 2, 3].map(() => sweep(database)));
    expect(await entriesOf(database, leadId)).toBe(1);
    expect(await database.prisma.erasure.count()).toBe(0);
  });

  test('is gone through a batch at a time, whatever the planner believes of the table', async ({ database }) => {
    const { leadId } = await takeIn(database);
    await database.pool.query('ALTER TABLE lead_event SET (autovacuum_enabled = false)');
    for (let times = 0; times < 15; times += 1) await fill(database, leadId);
    const client = await database.pool.connect();
    try {
      await client.query('BEGIN');
      const before = await rowsRead(client);
      await client.query(`SELECT erase_leftovers($1, $2, '-infinity', 0), has_leftovers($1)`, [leadId, BATCH]);
      const read = (await rowsRead(client)) - before;
      expect(read).toBeGreaterThanOrEqual(BATCH);
      expect(read).toBeLessThan(4 * BATCH);
    } finally {
      await client.query('ROLLBACK');
      client.release();
    }
  });

  test('does not hold up another when it cannot be deleted', async ({ api, database }) => {
    const [broken, other] = [await takeIn(database), await takeIn(database)];
    for (const { leadId } of [broken, other]) {
      await fill(database, leadId);
      await api.call('DELETE', `/api/leads/${leadId}`);
    }
    await database.pool.query(
      `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'by the test'; END $$;
       CREATE TRIGGER refuse BEFORE DELETE ON lead_event
         FOR EACH ROW WHEN (OLD.lead_id = '${broken.leadId}') EXECUTE FUNCTION refuse()`,
    );
    const { log, lines } = recordLog();
    expect(await sweep(database, log)).toBe(1);
    expect(lines).toMatchObject([{ leadId: broken.leadId, msg: 'leftovers of an erased lead not deleted' }]);
    expect(await entriesOf(database, other.leadId)).toBe(1);
    await database.pool.query('DROP TRIGGER refuse ON lead_event; DROP FUNCTION refuse');
    expect(await sweep(database)).toBe(1);
  });
});

describe('retention', () => {
  test('goes on with the page of a lead that is large, or that cannot be erased', async ({ database }) => {
    const leadIds = await takeInOld(database, 3, 500);
    const [large = '', broken = ''] = leadIds;
    await fill(database, large);
    await database.pool.query(
      `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'by the test'; END $$;
       CREATE TRIGGER refuse BEFORE DELETE ON lead
         FOR EACH ROW WHEN (OLD.id = '${broken}') EXECUTE FUNCTION refuse()`,
    );
    const { eraseExpiredLeads } = createLeadActivities({ ...database, providers: builtInProviders });
    const page = { leadIds, retentionDays: 365, requestId: 'retention' };
    expect(await runActivity(eraseExpiredLeads, page)).toEqual({ erased: 2 });
    await database.pool.query('DROP TRIGGER refuse ON lead; DROP FUNCTION refuse');
    expect(await database.prisma.lead.findMany({ select: { id: true } })).toContainEqual({ id: broken });
    expect(await sweep(database)).toBe(1);
  });
});

describe('the touches of a lead', () => {
  test('are kept to the newest thousand; the rest is counted in one entry', async ({ database }) => {
    const { leadId } = await takeIn(database);
    await fill(database, leadId, 'lead.touched');
    for (let batch = 0; batch < ENTRIES / 1_000; batch += 1) {
      await database.pool.query('SELECT bound_touches($1, $2)', [leadId, 'org-123']);
    }
    const touches = await database.prisma.leadEvent.findMany({ where: { leadId, type: 'lead.touched' } });
    expect(touches).toHaveLength(1_000);
    const dropped = await database.prisma.leadEvent.findMany({ where: { leadId, type: 'lead.touches-dropped' } });
    expect(dropped).toMatchObject([{ data: { count: ENTRIES - 1_000 } }]);
  });

  test('are bounded while they come, whoever sends them', async ({ database }) => {
    const { leadId } = await takeIn(database);
    await fill(database, leadId, 'lead.touched');
    expect(await database.prisma.leadEvent.count({ where: { leadId, type: 'lead.touched' } })).toBeLessThan(2_100);
  });
});
