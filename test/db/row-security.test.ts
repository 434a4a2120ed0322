import { randomUUID } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import { describe, expect, onTestFinished } from 'vitest';
import { recordAudit } from '../../src/audit/record.ts';
import { createKey } from '../../src/api-keys/manage.ts';
import { createStreamToken } from '../../src/api-keys/stream-tokens.ts';
import { createPrisma } from '../../src/db/prisma.ts';
import { API_ROLE, tenantOf } from '../../src/db/tenant.ts';
import { intakeLead } from '../../src/leads/intake.ts';
import { markAllRead } from '../../src/notifications/inbox.ts';
import { submissionSchema } from '../../src/leads/submission.ts';
import type { TestDatabase } from '../support/database.ts';
import { leaveEnrichmentRows } from '../support/enrichment-rows.ts';
import { openRequestPool } from '../support/keyed-api.ts';
import { takeIn, test as base } from '../support/onboarding.ts';
import { onboardByHand, tenantTables } from '../support/rows.ts';

const [OURS, THEIRS] = ['org-ours', 'org-theirs'];

const test = base.extend<{ requests: Pool; tables: string[] }>({
  requests: async ({ database }, use) => {
    const pool = openRequestPool(database, API_ROLE);
    await use(pool);
    await pool.end();
  },
  tables: async ({ database }, use) => {
    await use(await tenantTables(database));
  },
});

/** A row of the organization in each of the tables. */
async function fill(database: TestDatabase, organizationId: string): Promise<void> {
  const { leadId } = await takeIn(database, { organizationId });
  const submission = submissionSchema.parse({ organizationId, name: 'Ana' });
  const caller = { keyId: null, userId: null, ipAddress: null, userAgent: null, requestId: 'request-1' };
  const request = { organizationId, submission, caller, idempotencyKey: 'once', orderDelayMs: 60_000 };
  await intakeLead(database.pool, { enrichmentDelayMs: 50, idempotencyTtlHours: 24 }, request);
  const notification = { id: randomUUID(), organizationId, leadId, userId: 'user-1', assignment: 1 };
  const text = { title: 'Novo Lead', message: 'Lead Ana', actionUrl: '/dashboard' };
  await database.prisma.notification.create({ data: { ...notification, ...text } });
  await markAllRead(database.prisma, notification);
  await database.prisma.scoreRuleSet.create({ data: { organizationId, version: 1, rules: {} } });
  const score = { id: randomUUID(), leadId, organizationId, ruleVersion: 1, cause: 'ONBOARDING' as const };
  await database.prisma.score.create({ data: { ...score, score: 0, band: 'COLD', lines: [] } });
  const override = { id: randomUUID(), leadId, organizationId, score: 90, reason: 'Ana knows them' };
  await database.prisma.scoreOverride.create({ data: override });
  const rescore = { id: randomUUID(), organizationId, version: 1, total: 1, requestId: 'request-1' };
  await database.prisma.scoreRescore.create({ data: rescore });
  await createKey(database.prisma, { organizationId, name: 'test', scopes: [], expiresAt: null });
  await createStreamToken(database.prisma, { organizationId, keyId: null, scopes: ['events'], userId: null });
  await database.prisma.$transaction((tx) =>
    recordAudit(tx, { organizationId, action: 'rules.activated', subject: '1' }, caller),
  );
  await leaveEnrichmentRows(database, { leadId, organizationId });
  const at = new Date();
  const times = { scheduledAt: at, startedAt: at, endedAt: at };
  const attempt = { leadId, organizationId, step: 'scoreLead', taskQueue: 'lead', worker: '1@here', attempt: 1 };
  await database.prisma.stepAttempt.create({
    data: { ...attempt, ...times, runId: randomUUID(), activityId: '1', outcome: 'completed' },
  });
  const failed = { leadId, organizationId, step: 'score', errorType: 'Unknown', state: 'FAILED', round: 1 };
  await database.prisma.onboardingFailure.create({ data: { ...failed, at: new Date() } });
  const retry = {
    id: randomUUID(),
    filter: {},
    reason: 'test',
    caller: {},
    total: 1,
    perSecond: 1,
    enrichmentDelayMs: 0,
  };
  await database.prisma.bulkRetry.create({ data: retry });
  await database.prisma.bulkRetryLead.create({ data: { retryId: retry.id, leadId, organizationId, round: 1 } });
  const endpoint = { id: randomUUID(), url: '', description: '', types: [], withPersons: false, secret: '' };
  const { id: endpointId } = await database.prisma.webhookEndpoint.create({ data: { ...endpoint, organizationId } });
  const message = { endpointId, organizationId, eventId: randomUUID(), type: 'lead.created' };
  await database.prisma.webhookDelivery.create({ data: message });
  await database.prisma.webhookAttempt.create({ data: { ...message, at, attempt: 1, durationMs: 1 } });
  await database.prisma.erasure.create({ data: { leadId: randomUUID(), organizationId } });
  await onboardByHand(database, leadId, { score: 0, band: 'COLD', enrichment: {} });
}

/** Works in a transaction as a request of the organization does; undefined for one that names none. */
async function within<T>(pool: Pool, organizationId: string | undefined, work: (client: PoolClient) => Promise<T>) {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    if (organizationId !== undefined)
      await client.query(`SELECT set_config('app.organization_id', $1, true)`, [organizationId]);
    return await work(client);
  } finally {
    await client.query('ROLLBACK');
    client.release();
  }
}

const organizationsIn = async (client: Pool | PoolClient, table: string) => {
  const { rows } = await client.query<{ org: string }>(
    `SELECT DISTINCT organization_id AS org FROM ${table} ORDER BY 1`,
  );
  return rows.map(({ org }) => org);
};

describe('the role of the API', () => {
  test.beforeAll(async ({ database }) => {
    await fill(database, OURS);
    await fill(database, THEIRS);
  });

  test('is held by a policy on every table that belongs to organizations', async ({ database, tables }) => {
    const { rows } = await database.pool.query(
      `SELECT c.relname AS table, p.polroles::regrole[]::text[] AS roles, p.polcmd AS command, c.relrowsecurity AS enabled
       FROM pg_class c LEFT JOIN pg_policy p ON p.polrelid = c.oid WHERE c.relname = ANY($1) ORDER BY 1`,
      [tables],
    );
    const covered = { roles: ['lead_api'], command: '*', enabled: true };
    expect(rows).toEqual(tables.map((table) => ({ table, ...covered })));
  });

  test('may do nothing with any other table', async ({ database, tables }) => {
    const { rows } = await database.pool.query<{ table: string }>(
      `SELECT c.relname AS table FROM pg_class c
       WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
         AND has_table_privilege('lead_api', c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE') ORDER BY 1`,
    );
    expect(rows.map(({ table }) => table)).toEqual([...tables, 'feed_clock', 'lead_view'].toSorted());
    const clock = `SELECT has_table_privilege('lead_api', 'feed_clock', 'INSERT, UPDATE, DELETE, TRUNCATE') AS changes`;
    expect((await database.pool.query(clock)).rows).toEqual([{ changes: false }]); // it is of no organization
    const view = `SELECT reloptions AS options FROM pg_class WHERE relname = 'lead_view'`;
    expect((await database.pool.query(view)).rows).toEqual([{ options: ['security_invoker=true'] }]);
  });

  test('can neither log in nor get around the policies', async ({ database }) => {
    const { rows } = await database.pool.query(
      `SELECT rolcanlogin, rolsuper, rolbypassrls, rolcreaterole FROM pg_roles WHERE rolname = 'lead_api'`,
    );
    expect(rows).toEqual([{ rolcanlogin: false, rolsuper: false, rolbypassrls: false, rolcreaterole: false }]);
  });

  test('sees own rows only, although no statement asks for them', async ({ database, requests, tables }) => {
    expect(tables.length).toBeGreaterThan(5);
    for (const table of tables) {
      expect(await organizationsIn(database.pool, table), table).toEqual([OURS, THEIRS]);
      expect(await within(requests, OURS, (client) => organizationsIn(client, table)), table).toEqual([OURS]);
    }
  });

  test('sees nothing while no organization is named, nor after the transaction that named one', async ({
    requests,
    tables,
  }) => {
    for (const table of tables) {
      expect(await within(requests, undefined, (client) => organizationsIn(client, table)), table).toEqual([]);
      await within(requests, OURS, (client) => organizationsIn(client, table));
      expect(await organizationsIn(requests, table), table).toEqual([]);
    }
  });

  test('can change and delete own rows only', async ({ requests, tables }) => {
    for (const table of tables.filter((name) => name !== 'audit_entry')) {
      const counts = await within(requests, OURS, async (client) => {
        const { rowCount: own } = await client.query(`SELECT 1 FROM ${table}`);
        const { rowCount: changed } = await client.query(`UPDATE ${table} SET organization_id = organization_id`);
        const { rowCount: deleted } = await client.query(`DELETE FROM ${table}`);
        return { own, changed, deleted };
      });
      expect(counts.own, table).toBeGreaterThan(0);
      expect(counts, table).toEqual({ own: counts.own, changed: counts.own, deleted: counts.own });
    }
  });

  test('can neither change nor delete what the audit has', async ({ requests }) => {
    for (const statement of ['UPDATE audit_entry SET organization_id = organization_id', 'DELETE FROM audit_entry']) {
      const change = within(requests, OURS, (client) => client.query(statement));
      await expect(change, statement).rejects.toMatchObject({ code: '42501' });
    }
  });

  test('can neither hand a row to another organization nor make one for it', async ({ requests, tables }) => {
    for (const table of tables) {
      const handOver = within(requests, OURS, (client) =>
        client.query(`UPDATE ${table} SET organization_id = $1`, [THEIRS]),
      );
      await expect(handOver, table).rejects.toMatchObject({ code: '42501' });
    }
    const insert = `INSERT INTO outbox (id, lead_id, organization_id, kind) VALUES ($1, $1, $2, 'START_ONBOARDING')`;
    const make = within(requests, OURS, (client) => client.query(insert, [randomUUID(), THEIRS]));
    await expect(make).rejects.toMatchObject({ code: '42501' });
  });
});

describe('a tenant', () => {
  test('sees own rows only under either wall alone', async ({ database, requests }) => {
    const [ours, theirs] = [await takeIn(database, { organizationId: OURS }), await takeIn(database)];
    for (const pool of [requests, database.pool]) {
      const prisma = createPrisma(pool);
      onTestFinished(() => prisma.$disconnect());
      const found = await tenantOf(prisma, OURS).read(async (db) => ({
        all: await db.lead.findMany({ distinct: 'organizationId', select: { organizationId: true } }),
        ours: await db.lead.findUnique({ where: { id: ours.leadId }, select: { id: true } }),
        theirs: await db.lead.findUnique({ where: { id: theirs.leadId } }),
        named: await db.lead.count({ where: { AND: [{ organizationId: theirs.organizationId }] } }),
        changed: (await db.leadRecord.updateMany({ where: { id: theirs.leadId }, data: { name: 'Stolen' } })).count,
      }));
      expect(found).toEqual({
        all: [{ organizationId: OURS }],
        ours: { id: ours.leadId },
        theirs: null,
        named: 0,
        changed: 0,
      });
    }
  });

  test('stores nothing of work that fails', async ({ database, requests }) => {
    const { leadId } = await takeIn(database, { organizationId: OURS, name: 'Ana' });
    const prisma = createPrisma(requests);
    onTestFinished(() => prisma.$disconnect());
    const work = tenantOf(prisma, OURS).write(async (tx) => {
      await tx.leadRecord.update({ where: { id: leadId }, data: { name: 'Bia' } });
      throw new Error('second thoughts');
    });
    await expect(work).rejects.toThrow('second thoughts');
    expect(await database.prisma.lead.findUnique({ where: { id: leadId } })).toMatchObject({ name: 'Ana' });
  });
});

describe('a pool with a role', () => {
  test('gives out no connection that cannot take it', async ({ database }) => {
    const pool = openRequestPool(database, 'nobody_there');
    onTestFinished(() => pool.end());
    for (let attempt = 0; attempt < 3; attempt += 1)
      await expect(pool.query('SELECT 1')).rejects.toThrow('role "nobody_there" does not exist');
    expect(pool.totalCount).toBe(0);
  });
});
