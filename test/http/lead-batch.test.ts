import { describe, expect } from 'vitest';
import { API_ROLE } from '../../src/db/tenant.ts';
import type { Lead } from '../../src/leads/lead.ts';
import { createRateLimiter } from '../../src/rate-limit/limiter.ts';
import { newLead } from '../support/api.ts';
import { createKeyedApi, makeKey, testWithoutStarts as test } from '../support/keyed-api.ts';
import { expectProblem } from '../support/problem.ts';
import { countRows, rowsRead } from '../support/rows.ts';
import { recordStatements } from '../support/statements.ts';

interface Result {
  outcome: 'created' | 'duplicate' | 'problem';
  lead?: Lead;
  problem?: { type: string; status: number; errors?: { path: string; message: string }[] };
}
interface Results {
  results: Result[];
}

let organizations = 0;
const newOrganization = () => `org-batch-${(organizations += 1)}`;

/** As for a batch: the organization is named once. */
const leadOf = (change: Record<string, unknown> = {}) => {
  const { organizationId: _, ...lead } = newLead(change);
  return lead;
};
const leadsOf = (count: number) => Array.from({ length: count }, (_, i) => leadOf({ name: `Lead ${i}` }));
const outcomesOf = ({ body }: { body: Results }) => body.results.map(({ outcome }) => outcome);

const PATH = '/api/leads/batch';

describe('POST /api/leads/batch', () => {
  test('with 3 of 100 that are not valid takes 97 leads in, and has 3 problems in their places', async ({
    api,
    database,
  }) => {
    const organizationId = newOrganization();
    const leads: Record<string, unknown>[] = leadsOf(100);
    leads[0] = { ...leads[0], email: 'nobody' };
    leads[41] = { ...leads[41], attributes: [], stranger: 1 };
    leads[99] = { email: 'no-name@example.com' };
    const statements = recordStatements();
    const answer = await api.call<Results>('POST', PATH, { organizationId, leads });
    expect(statements.filter(({ text }) => text.includes('intake_batch'))).toHaveLength(1);
    expect(statements.filter(({ text }) => /INSERT|UPDATE/.test(text))).toEqual([]);
    const { status, body } = answer;
    expect(status).toBe(200);
    const problems = body.results.flatMap(({ outcome }, place) => (outcome === 'problem' ? [place] : []));
    expect(problems).toEqual([0, 41, 99]);
    expect(body.results[41]?.problem).toMatchObject({
      type: 'urn:lead-onboarding:problem:invalid-request',
      status: 400,
    });
    expect(body.results[41]?.problem?.errors?.map(({ path }) => path)).toEqual(['attributes', 'stranger']);

    const created = body.results.filter(({ outcome }) => outcome === 'created');
    expect(created).toHaveLength(97);
    for (const [place, { outcome, lead }] of body.results.entries()) {
      if (outcome === 'created') expect(lead?.name).toBe(`Lead ${place}`);
    }
    const ids = created.map(({ lead }) => lead?.id ?? '');
    const where = { leadId: { in: ids } };
    expect(await database.prisma.leadRecord.count({ where: { organizationId } })).toBe(97);
    expect(await database.prisma.leadEvent.count({ where: { ...where, type: 'lead.created' } })).toBe(97);
    expect(await database.prisma.outbox.count({ where: { ...where, kind: 'START_ONBOARDING' } })).toBe(97);
    expect(await database.prisma.watch.count({ where: { ...where, run: 'onboarding' } })).toBe(97);
  });

  test('stores of each lead what POST /api/leads stores of it', async ({ api, database }) => {
    const lead = leadOf({ priority: 'HIGH', attributes: { a: [1, { b: null }] }, locale: 'en', status: 'CONTACTED' });
    const [one, other] = [newOrganization(), newOrganization()];
    const headers = { 'x-actor-id': 'user-9', 'user-agent': 'a test' };
    const { body: alone } = await api.call<Lead>('POST', '/api/leads', { ...lead, organizationId: one }, headers);
    const { body } = await api.call<Results>('POST', PATH, { organizationId: other, leads: [lead] }, headers);
    const together = body.results[0]?.lead;
    expect(together).toEqual({
      ...alone,
      id: together?.id,
      organizationId: other,
      createdAt: together?.createdAt,
      updatedAt: together?.createdAt,
    });
    const rows = async (leadId = '') => {
      const text = JSON.stringify(
        await Promise.all([
          database.prisma.leadEvent.findMany({ where: { leadId }, omit: { id: true, seq: true, at: true } }),
          database.prisma.outbox.findMany({
            where: { leadId },
            omit: { id: true, createdAt: true, availableAt: true },
          }),
          database.prisma.watch.findMany({ where: { leadId }, omit: { since: true, lookAfter: true } }),
          database.prisma.onboarding.findMany({ where: { leadId }, omit: { changedAt: true } }),
          database.prisma.leadRecord.findMany({
            where: { id: leadId },
            omit: { createdAt: true, updatedAt: true, activeAt: true },
          }),
        ]),
      );
      return text.replaceAll(leadId, 'the lead').replaceAll(/org-batch-\d+/g, 'its organization');
    };
    const withoutRequest = (text: string) => text.replaceAll(/"requestId":"[^"]+"/g, '');
    expect(withoutRequest(await rows(together?.id))).toBe(withoutRequest(await rows(alone.id)));
  });

  test('takes a second lead with an e-mail for the first one, in the batch and of before', async ({
    api,
    database,
  }) => {
    const organizationId = newOrganization();
    const known = await api.call<Lead>('POST', '/api/leads', newLead({ organizationId, name: 'Known' }));
    const first = leadOf({ name: 'First', email: `Twin@${organizationId}.example` });
    const leads = [
      first,
      leadOf({ name: 'Again', email: known.body.email }),
      leadOf({ name: 'Second', email: `twin@${organizationId}.EXAMPLE` }),
      leadOf({ name: 'Nobody', email: null }),
      leadOf({ name: 'Nobody', email: null }),
    ];
    const answer = await api.call<Results>('POST', PATH, { organizationId, leads });
    expect(outcomesOf(answer)).toEqual(['created', 'duplicate', 'duplicate', 'created', 'created']);
    const { results } = answer.body;
    expect(results[1]?.lead).toEqual(known.body);
    expect(results[2]?.lead).toMatchObject({ id: results[0]?.lead?.id, name: 'First' });
    const touches = await database.prisma.leadEvent.findMany({
      where: { organizationId, type: 'lead.touched' },
      orderBy: { seq: 'asc' },
    });
    expect(touches.map(({ data }) => (data as { name: string }).name).toSorted()).toEqual(['Again', 'Second']);
    expect(await database.prisma.leadRecord.count({ where: { organizationId } })).toBe(4);
  });

  test('is done once for an Idempotency-Key, and says of an erased lead that it is', async ({ api, database }) => {
    const organizationId = newOrganization();
    const batch = { organizationId, leads: [...leadsOf(2), { name: '' }] };
    const key = { 'idempotency-key': `batch of ${organizationId}` };
    const first = await api.call<Results>('POST', PATH, batch, key);
    expect(outcomesOf(first)).toEqual(['created', 'created', 'problem']);
    const before = await countRows(database);
    const again = await api.call<Results>('POST', PATH, batch, key);
    expect(outcomesOf(again)).toEqual(['created', 'created', 'problem']);
    expect(again.body).toEqual(first.body);
    expect(await countRows(database)).toEqual(before);
    const other = { ...batch, leads: batch.leads.slice(1) };
    expectProblem(await api.call('POST', PATH, other, key), 422, 'idempotency-key-reused');

    await api.call('DELETE', `/api/leads/${first.body.results[0]?.lead?.id ?? ''}`);
    const { body } = await api.call<Results>('POST', PATH, batch, key);
    expect(body.results[0]?.problem).toMatchObject({ status: 410, type: 'urn:lead-onboarding:problem:lead-erased' });
    expect(body.results[1]).toEqual(first.body.results[1]);
    const kept = JSON.stringify(await database.prisma.idempotencyKey.findMany({ where: { organizationId } }));
    for (const { email, name } of leadsOf(2)) for (const text of [email, name]) expect(kept).not.toContain(text);
  });

  test('is done once although twins come at once', async ({ api, database }) => {
    const organizationId = newOrganization();
    const batch = { organizationId, leads: leadsOf(10).map((lead) => ({ ...lead, email: null })) };
    const key = { 'idempotency-key': `twins of ${organizationId}` };
    const answers = await Promise.all([1, 2, 3].map(() => api.call<Results>('POST', PATH, batch, key)));
    for (const { status } of answers) expect([200, 409]).toContain(status);
    expect(await database.prisma.leadRecord.count({ where: { organizationId } })).toBe(10);
  });

  test('never waits for another one in a circle, whatever order their leads have', async ({ api, database }) => {
    const organizationId = newOrganization();
    const leads = leadsOf(30);
    const answers = await Promise.all(
      [leads, leads.toReversed(), leads, leads.toReversed()].map((sent) =>
        api.call<Results>('POST', PATH, { organizationId, leads: sent }),
      ),
    );
    const outcomes = answers.flatMap((answer) => outcomesOf(answer));
    expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(30);
    expect(outcomes.filter((outcome) => outcome === 'duplicate')).toHaveLength(90);
    expect(await database.prisma.leadRecord.count({ where: { organizationId } })).toBe(30);
  });

  test('stores nothing of a batch that fails', async ({ api, database }) => {
    const organizationId = newOrganization();
    await database.pool.query(`ALTER TABLE watch ADD CONSTRAINT broken CHECK (organization_id <> '${organizationId}')`);
    const before = await countRows(database);
    const key = { 'idempotency-key': `fails for ${organizationId}` };
    const failed = await api.call('POST', PATH, { organizationId, leads: leadsOf(3) }, key);
    await database.pool.query('ALTER TABLE watch DROP CONSTRAINT broken');
    expectProblem(failed, 500, 'internal');
    expect(await countRows(database)).toEqual(before);
  });

  test.for([
    ['no leads', { leads: [] }, ['leads']],
    ['101 leads', { leads: Array.from({ length: 101 }, () => ({ name: 'Ana' })) }, ['leads']],
    ['leads that are no list', { leads: { name: 'Ana' } }, ['leads']],
    ['no organization', { organizationId: undefined, leads: [{ name: 'Ana' }] }, ['organizationId']],
    ['something else', { leads: [{ name: 'Ana' }], more: 1 }, ['more']],
  ] as const)('refuses %s as a whole', async ([, body, paths], { api }) => {
    const answer = await api.call('POST', PATH, { organizationId: 'org-batch', ...body });
    expectProblem(answer, 400, 'invalid-request', [...paths]);
  });

  test('tells a key that takes leads in the id of a duplicate, and no more', async ({ keyed, database }) => {
    const organizationId = newOrganization();
    const taker = keyed.as(await makeKey(database, { organizationId, scopes: ['leads:create'] }));
    const lead = leadOf();
    const { body } = await taker<Results>('POST', PATH, { organizationId, leads: [lead, lead] });
    const { id } = body.results[0]?.lead ?? {};
    expect(body.results[1]).toEqual({ outcome: 'duplicate', lead: { id } });
  });

  test('does not tell such a key what has become of its leads since, when it repeats them', async ({
    keyed,
    database,
  }) => {
    const organizationId = newOrganization();
    const batch = { organizationId, leads: [leadOf()] };
    const send = async (call: ReturnType<typeof keyed.as>) =>
      (await call<Results>('POST', PATH, batch, { 'idempotency-key': 'a batch' })).body;
    const taker = keyed.as(await makeKey(database, { organizationId, scopes: ['leads:create'] }));
    const reader = keyed.as(await makeKey(database, { organizationId }));
    const { results } = await send(taker);
    const { id } = results[0]?.lead ?? {};
    await reader('PATCH', `/api/leads/${id}`, { phone: '+5511900000001' });
    expect((await send(taker)).results).toEqual([{ outcome: 'created', lead: { id } }]);
    expect((await send(reader)).results).toMatchObject([{ outcome: 'created', lead: { id, phone: '+5511900000001' } }]);
  });

  test('has a problem for a lead that is nested too deeply, with a key as well', async ({ api }) => {
    const deep = `{"name":"Ana","attributes":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`;
    const body = JSON.stringify({ organizationId: newOrganization(), leads: [leadOf(), 'deep'] });
    const answer = await api.call<Results>('POST', PATH, body.replace('"deep"', deep), { 'idempotency-key': 'deep' });
    expect(outcomesOf(answer)).toEqual(['created', 'problem']);
  });
});

test('a batch counts as so many requests as it has leads', async ({ database }) => {
  const rateLimiter = createRateLimiter({ requests: 10, seconds: 60 }, () => 0);
  const api = createKeyedApi(database, { slots: 0, rateLimiter }, API_ROLE);
  const organizationId = newOrganization();
  const call = api.as(await makeKey(database, { organizationId }));
  const send = (count: number) => call<Results>('POST', PATH, { organizationId, leads: leadsOf(count) });
  const first = await send(7);
  expect([first.status, first.headers.get('ratelimit')]).toEqual([200, '"default";r=3;t=60']);
  const second = await send(4); // counts as the one request that it is
  expectProblem(second, 429, 'rate-limited');
  expect(second.headers.get('ratelimit')).toBe('"default";r=2;t=60');
  expect((await send(2)).status).toBe(200);
  expect(await database.prisma.leadRecord.count({ where: { organizationId } })).toBe(9);
  expectProblem(await call('GET', '/api/leads'), 429, 'rate-limited');
  await api.close();
});

test('a batch that no window has room for is told so', async ({ database }) => {
  const rateLimiter = createRateLimiter({ requests: 10, seconds: 60 }, () => 0);
  const api = createKeyedApi(database, { slots: 0, rateLimiter }, API_ROLE);
  const organizationId = newOrganization();
  const call = api.as(await makeKey(database, { organizationId }));
  const answer = await call<{ detail: string }>('POST', PATH, { organizationId, leads: leadsOf(11) });
  expectProblem(answer, 429, 'rate-limited');
  expect(answer.body.detail).toContain('at most 10');
  await api.close();
});

test('a batch reads its own leads only, whatever the planner believes of the tables', async ({ database }) => {
  const tables = ['lead', 'lead_listing', 'onboarding'];
  for (const table of tables) await database.pool.query(`ALTER TABLE ${table} SET (autovacuum_enabled = false)`);
  const api = createKeyedApi(database, { slots: 0 }, API_ROLE);
  const organizationId = newOrganization();
  const call = api.as(await makeKey(database, { organizationId }));
  for (let times = 0; times < 20; times += 1) await call('POST', PATH, { organizationId, leads: leadsOf(100) });
  const { rows: known } = await database.pool.query('SELECT id FROM lead WHERE organization_id = $1 LIMIT 5', [
    organizationId,
  ]);
  const client = await database.pool.connect();
  await client.query('BEGIN');
  const before = await rowsRead(client);
  const { rows: outcomes } = await client.query<{ count: number }>(
    'SELECT json_array_length(read_outcomes($1)) AS count',
    [JSON.stringify(known)],
  );
  const read = (await rowsRead(client)) - before;
  await client.query('ROLLBACK');
  client.release();
  expect(outcomes).toEqual([{ count: 5 }]);
  expect(read).toBeLessThan(100);
  await api.close();
});

test('an API process of the release before is answered as it expects, on the new schema', async ({ api, database }) => {
  const statements = recordStatements();
  const { body } = await api.call<Results>('POST', PATH, { organizationId: newOrganization(), leads: leadsOf(2) });
  const sent = statements.find(({ text }) => text.includes('intake_batch'));
  const { rows } = await database.pool.query<{ answer: { results: object[] }; type: string }>(
    'SELECT answer, pg_typeof(answer)::text AS type FROM intake_leads($1, $2) AS answer',
    sent?.values,
  );
  const again = body.results.map(({ lead }) => ({ outcome: 'duplicate', stored: { id: lead?.id } }));
  expect(rows).toMatchObject([{ type: 'jsonb', answer: { status: 'done', results: again } }]);
});
