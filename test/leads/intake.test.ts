import { randomUUID } from 'node:crypto';
import { describe, expect } from 'vitest';
import { canonicalHash } from '../../src/leads/canonical-hash.ts';
import { intakeLead, intakeTogether } from '../../src/leads/intake.ts';
import type { IntakeRequest } from '../../src/leads/intake-request.ts';
import { submissionSchema } from '../../src/leads/submission.ts';
import type { TestDatabase } from '../support/database.ts';
import { SEED_LEAD, test } from '../support/onboarding.ts';
import { countRows } from '../support/rows.ts';
import { recordStatements } from '../support/statements.ts';

const SETTINGS = { enrichmentDelayMs: 10_000, idempotencyTtlHours: 24 };
const CALLER = { keyId: null, userId: null, ipAddress: null, userAgent: null, requestId: 'request-1' };

let emails = 0;

function requestOf(lead: object = {}, idempotencyKey?: string): IntakeRequest {
  emails += 1;
  const submission = submissionSchema.parse({ ...SEED_LEAD, email: `intake-${emails}@example.com`, ...lead });
  const { organizationId } = submission;
  return { organizationId, submission, caller: CALLER, idempotencyKey, orderDelayMs: 6_000 };
}

/** Runs `during` while a transaction of somebody else, begun with `statement`, is open; then ends it so. */
async function besides<T>(
  { pool }: TestDatabase,
  [statement, values]: [string, unknown[]],
  during: () => Promise<T>,
  end: 'COMMIT' | 'ROLLBACK',
): Promise<T> {
  const client = await pool.connect();
  await client.query('BEGIN');
  await client.query(statement, values);
  const result = during();
  const waiting = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  await expect.poll(async () => (await pool.query(waiting)).rowCount).toBe(1);
  await client.query(end);
  client.release();
  return result;
}

const insertLead = (email: string): [string, unknown[]] => [
  `WITH first AS (INSERT INTO lead (id, organization_id, name, email, email_key)
                  VALUES (gen_random_uuid(), 'org-123', 'First', $1, $1) RETURNING id)
   INSERT INTO onboarding (lead_id, organization_id) SELECT id, 'org-123' FROM first`,
  [email],
];

describe('intakeLead', () => {
  test('returns the order that stands in the outbox, which is left to the caller for a while', async ({ database }) => {
    const result = await intakeLead(database.pool, SETTINGS, requestOf({ priority: 'CRITICAL', source: 'EVENT' }));
    if (result.outcome !== 'created') throw new Error(result.outcome);
    const row = await database.prisma.outbox.findUniqueOrThrow({ where: { id: result.order.id } });
    const { kind, leadId, organizationId, payload } = result.order;
    expect(row).toMatchObject({ kind, leadId, organizationId, payload, status: 'PENDING', attempts: 0 });
    expect(payload).toEqual({
      round: 1,
      enrichmentDelayMs: 10_000,
      priority: 'CRITICAL',
      source: 'EVENT',
      requestId: 'request-1',
    });
    expect(row.availableAt.getTime() - row.createdAt.getTime()).toBe(6_000);
    expect(leadId).toBe(result.lead.id);
  });

  test.for(['lead_event', 'outbox', 'idempotency_key'])(
    'stores all or nothing: a fault of %s undoes the rest',
    async (table, { database }) => {
      const before = await countRows(database);
      await database.pool.query(`ALTER TABLE ${table} ADD CONSTRAINT broken CHECK (false) NOT VALID`);
      const failing = intakeLead(database.pool, SETTINGS, requestOf({}, `key-${table}`));
      await expect(failing).rejects.toMatchObject({ code: '23514' });
      await database.pool.query(`ALTER TABLE ${table} DROP CONSTRAINT broken`);
      expect(await countRows(database)).toEqual(before);
    },
  );

  test('waits for a lead with the same e-mail that is just being stored, and is its duplicate', async ({
    database,
  }) => {
    const request = requestOf();
    const intake = () => intakeLead(database.pool, SETTINGS, request);
    const result = await besides(database, insertLead(request.submission.email ?? ''), intake, 'COMMIT');
    expect(result).toMatchObject({ outcome: 'duplicate', lead: { name: 'First' } });
  });

  test('is the first when that lead is not stored after all', async ({ database }) => {
    const request = requestOf();
    const intake = () => intakeLead(database.pool, SETTINGS, request);
    const result = await besides(database, insertLead(request.submission.email ?? ''), intake, 'ROLLBACK');
    expect(result).toMatchObject({ outcome: 'created', lead: { name: 'João Silva' } });
  });

  test('makes a new lead when the one with the same e-mail is just being erased', async ({ database }) => {
    const request = requestOf();
    const first = await intakeLead(database.pool, SETTINGS, request);
    if (first.outcome !== 'created') throw new Error(first.outcome);
    const erase: [string, unknown[]] = ['DELETE FROM lead WHERE id = $1', [first.lead.id]];
    const second = await besides(database, erase, () => intakeLead(database.pool, SETTINGS, request), 'COMMIT');
    expect(second.outcome).toBe('created');
    expect(second).not.toMatchObject({ lead: { id: first.lead.id } });
  });

  test('leaves no time-out behind on the connection that it used', async ({ database }) => {
    await intakeLead(database.pool, SETTINGS, requestOf({}, 'timeout'));
    const settings = Array.from({ length: 20 }, () =>
      database.pool.query<{ lock_timeout: string }>('SHOW lock_timeout'),
    );
    const values = (await Promise.all(settings)).map(({ rows }) => rows[0]?.lock_timeout);
    expect(new Set(values)).toEqual(new Set(['0']));
  });

  test('keeps a key as long as it is told to', async ({ database }) => {
    await intakeLead(database.pool, { ...SETTINGS, idempotencyTtlHours: 1 }, requestOf({}, 'an-hour'));
    const { rows } = await database.pool.query(
      `SELECT expires_at - created_at BETWEEN interval '59 minutes' AND interval '1 hour 1 second' AS hour
       FROM idempotency_key WHERE key = idempotency_id('an-hour')`,
    );
    expect(rows).toEqual([{ hour: true }]);
  });
});

describe('intakeTogether', () => {
  test('says of each what it would have said of it alone, in their order', async ({ database }) => {
    const [kept, reused, first] = [requestOf({}, 'kept'), requestOf({}, 'reused'), requestOf({}, 'twin')];
    const [known, again, fresh] = [requestOf(), requestOf(), requestOf()];
    for (const request of [kept, reused, known]) await intakeLead(database.pool, SETTINGS, request);
    const touch = { ...first, idempotencyKey: undefined };
    const requests = [fresh, first, again, kept, { ...requestOf(), idempotencyKey: 'reused' }, known, first, touch];
    const results = await intakeTogether(database.pool, SETTINGS, 'org-123', requests);
    expect(results.map(({ outcome }) => outcome)).toEqual([
      ...['created', 'created', 'created', 'replayed', 'key_reused', 'duplicate', 'replayed', 'duplicate'],
    ]);
    const leads = results.map((result) => ('lead' in result ? result.lead : undefined));
    const emails = requests.map(({ submission }, place) => (place === 4 ? undefined : submission.email));
    expect(leads.map((lead) => lead?.email)).toEqual(emails);
    const ids = leads.map((lead) => lead?.id);
    expect([ids[6], ids[7]]).toEqual([ids[1], ids[1]]);
    expect(new Set(ids).size).toBe(6);
  });

  test('leaves the function that an API process of the release before calls as it was', async ({ database }) => {
    const statements = recordStatements();
    const [touched] = await intakeTogether(database.pool, SETTINGS, 'org-123', [requestOf()]);
    if (touched?.outcome !== 'created') throw new Error(touched?.outcome);
    const [sent] = JSON.parse(statements.at(-1)?.values[1] as string) as object[];
    const { rows } = await database.pool.query('SELECT outcome, replayed, stored FROM intake_lead($1, $2)', [
      'org-123',
      { ...sent, organization_id: 'org-123', event_id: randomUUID() },
    ]);
    expect(rows).toMatchObject([{ outcome: 'duplicate', replayed: false, stored: { id: touched.lead.id } }]);
  });

  test('stores all or nothing', async ({ database }) => {
    const before = await countRows(database);
    const bad = requestOf();
    const requests = [requestOf({}, 'with-bad'), { ...bad, submission: { ...bad.submission, status: 'BAD' as 'NEW' } }];
    await expect(intakeTogether(database.pool, SETTINGS, 'org-123', requests)).rejects.toMatchObject({ code: '23514' });
    expect(await countRows(database)).toEqual(before);
  });
});

describe('canonicalHash', () => {
  test('is the same whatever the order of keys, at every depth', () => {
    expect(canonicalHash({ a: 1, b: { c: [{ e: 1, d: 2 }], f: null } })).toBe(
      canonicalHash({ b: { f: null, c: [{ d: 2, e: 1 }] }, a: 1 }),
    );
  });

  test.for([
    [{ a: 1 }, { a: '1' }],
    [{ a: [1, 2] }, { a: [2, 1] }],
    [{ a: null }, {}],
    [{ a: {} }, { a: [] }],
    [{ ab: 1 }, { a: { b: 1 } }],
    [JSON.parse('{"__proto__":{"a":1}}'), {}],
  ] as [unknown, unknown][])('tells %j from %j', ([one, other]) => {
    expect(canonicalHash(one)).not.toBe(canonicalHash(other));
  });
});
