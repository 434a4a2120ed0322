import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import type { Lead } from '../../src/leads/lead.ts';
import { newLead, testWithoutStarts as test, type TestApi } from '../support/api.ts';
import type { TestDatabase } from '../support/database.ts';
import { expectProblem } from '../support/problem.ts';
import { countRows } from '../support/rows.ts';

let keys = 0;
const newKey = () => `key-${(keys += 1)}`;

const post = (api: TestApi, body: unknown, key: string) =>
  api.call<Lead>('POST', '/api/leads', body, { 'idempotency-key': key });

/** A request with this key that is still running: its row is written, and not committed. */
async function holdKey({ pool }: TestDatabase, key: string) {
  const client = await pool.connect();
  await client.query('BEGIN');
  await client.query(
    `INSERT INTO idempotency_key (organization_id, key, request_hash, expires_at)
     VALUES ('org-123', idempotency_id($1), 'hash', clock_timestamp() + interval '1 hour')`,
    [key],
  );
  return async () => {
    await client.query('ROLLBACK');
    client.release();
  };
}

async function untilSomebodyWaits({ pool }: TestDatabase) {
  const waiting = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  while ((await pool.query(waiting)).rowCount === 0) await sleep(10);
}

describe('POST /api/leads with an Idempotency-Key', () => {
  test('answers a repetition as the first time, byte for byte, and stores nothing', async ({ api, database }) => {
    const [lead, key] = [newLead({ attributes: { b: 1, a: { d: 2, c: 3 } } }), newKey()];
    const first = await post(api, lead, key);
    await api.call('PATCH', `/api/leads/${first.body.id}`, { name: 'Changed since' });
    const before = await countRows(database);
    const second = await post(api, lead, key);
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.text).toBe(first.text);
    expect(second.headers.get('location')).toBe(first.headers.get('location'));
    expect(await countRows(database)).toEqual(before);
  });

  test('knows the same body with its keys in another order and its defaults left out', async ({ api }) => {
    const [lead, key] = [newLead({ attributes: { b: 1, a: { d: 2, c: 3 } } }), newKey()];
    const first = await post(api, lead, key);
    const reversed = Object.fromEntries(Object.entries(lead).reverse());
    const second = await post(api, { ...reversed, status: 'NEW', attributes: { a: { c: 3, d: 2 }, b: 1 } }, key);
    expect(second.text).toBe(first.text);
  });

  test('answers a repetition of a duplicate as a duplicate, with one touch', async ({ api, database }) => {
    const [lead, key] = [newLead(), newKey()];
    const { body } = await api.call<Lead>('POST', '/api/leads', lead);
    const answers = [await post(api, lead, key), await post(api, lead, key)];
    for (const { status, body: again } of answers) {
      expect({ status, again }).toMatchObject({ status: 200, again: { id: body.id, duplicate: true } });
    }
    expect(await database.prisma.leadEvent.count({ where: { leadId: body.id, type: 'lead.touched' } })).toBe(1);
  });

  test('refuses another body with 422', async ({ api, database }) => {
    const [lead, key] = [newLead(), newKey()];
    await post(api, lead, key);
    const before = await countRows(database);
    expectProblem(await post(api, { ...lead, name: 'Another' }, key), 422, 'idempotency-key-reused');
    expectProblem(await post(api, { ...lead, attributes: { a: 1 } }, key), 422, 'idempotency-key-reused');
    expect(await countRows(database)).toEqual(before);
  });

  test('belongs to its organization', async ({ api }) => {
    const key = newKey();
    const first = await post(api, newLead(), key);
    const second = await post(api, newLead({ organizationId: 'org-456' }), key);
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.body.id).not.toBe(first.body.id);
  });

  test.for([
    { key: '', what: 'an empty one' },
    { key: 'x'.repeat(256), what: '256 characters' },
    { key: 'cl\u00e9', what: 'a letter that is not ASCII' },
    { key: 'a\tb', what: 'a tab' },
  ])('refuses $what with 400', async ({ key }, { api, database }) => {
    const before = await countRows(database);
    expectProblem(await post(api, newLead(), key), 400, 'invalid-request', ['idempotency-key']);
    expect(await countRows(database)).toEqual(before);
  });

  test('takes 255 characters of printable ASCII', async ({ api }) => {
    const key = `"~ ${'x'.repeat(252)}`;
    const [lead, first] = [newLead(), await post(api, newLead({ email: 'printable@example.com' }), key)];
    expect(first.status).toBe(201);
    expect((await post(api, lead, key)).status).toBe(422);
  });

  test('keeps nothing of a request that was refused, so that the corrected one goes through', async ({ api }) => {
    const key = newKey();
    expect((await post(api, newLead({ name: '' }), key)).status).toBe(400);
    expect((await post(api, newLead(), key)).status).toBe(201);
  });

  test('makes one lead of 20 at the same moment, and answers them all alike', async ({ api, database }) => {
    const [lead, key] = [newLead({ email: null, name: 'Twenty at once' }), newKey()];
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(api, lead, key)));
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(answers[0]?.status).toBe(201);
    expect(await database.prisma.lead.count({ where: { name: lead.name } })).toBe(1);
  });

  test('answers 409 while the first request still runs, and 201 once it has failed', async ({ api, database }) => {
    const [lead, key] = [newLead(), newKey()];
    const release = await holdKey(database, key);
    const running = await post(api, lead, key);
    await release();
    expectProblem(running, 409, 'request-running');
    expect(running.headers.get('retry-after')).toBe('1');
    expect(await database.prisma.lead.count({ where: { email: lead.email } })).toBe(0);
    expect((await post(api, lead, key)).status).toBe(201);
  });

  test('waits for a first request that ends soon', async ({ api, database }) => {
    const [lead, key] = [newLead(), newKey()];
    const release = await holdKey(database, key);
    const waiting = post(api, lead, key);
    await untilSomebodyWaits(database);
    await release();
    expect((await waiting).status).toBe(201);
  });

  test('answers 410 once the lead was erased, and does not create the person again', async ({ api, database }) => {
    const [lead, key] = [newLead(), newKey()];
    const { body } = await post(api, lead, key);
    await api.call('DELETE', `/api/leads/${body.id}`);
    const before = await countRows(database);
    expectProblem(await post(api, lead, key), 410, 'lead-erased');
    expectProblem(await post(api, { ...lead, name: 'Another' }, key), 410, 'lead-erased');
    expect(await countRows(database)).toEqual(before);
  });

  test('answers 410 when the lead is gone and its keys are not yet, whatever they remember', async ({
    api,
    database,
  }) => {
    const [lead, key] = [newLead(), newKey()];
    const { body } = await post(api, lead, key);
    await database.pool.query('DELETE FROM lead WHERE id = $1', [body.id]);
    expectProblem(await post(api, lead, key), 410, 'lead-erased');
  });

  test('is kept for 24 hours, and can be used anew after that', async ({ api, database }) => {
    const key = newKey();
    const first = await post(api, newLead(), key);
    const { rows } = await database.pool.query(
      `SELECT expires_at - created_at BETWEEN interval '23:59:59' AND interval '24:00:01' AS day
       FROM idempotency_key WHERE key = idempotency_id($1)`,
      [key],
    );
    expect(rows).toEqual([{ day: true }]);

    await database.pool.query(
      'UPDATE idempotency_key SET expires_at = clock_timestamp() WHERE key = idempotency_id($1)',
      [key],
    );
    const other = newLead();
    const second = await post(api, other, key);
    expect(second.status).toBe(201);
    expect(second.body.id).not.toBe(first.body.id);
    expect((await post(api, other, key)).text).toBe(second.text);
  });
});
