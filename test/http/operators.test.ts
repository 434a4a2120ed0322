import { randomUUID } from 'node:crypto';
import { describe, expect } from 'vitest';
import { revokeOperatorKey } from '../../src/api-keys/operator-keys.ts';
import { storeFailed } from '../support/failures.ts';
import { makeKey, makeOperatorKey, testWithoutStarts as test } from '../support/keyed-api.ts';
import { createHolder, idOf, OPERATIONS, perform } from '../support/operations.ts';
import { expectProblem } from '../support/problem.ts';

const ofOperators = Object.keys(OPERATIONS).filter((what) => OPERATIONS[what]?.operator);
const ofOrganizations = Object.entries(OPERATIONS).flatMap(([what, { open, operator }]) =>
  open || operator ? [] : [what],
);

describe("an operator's key", () => {
  test.for(ofOperators)('is what %s wants, and one that counts', async (what, { keyed, database }) => {
    const revoked = await makeOperatorKey(database);
    await revokeOperatorKey(database.prisma, idOf(revoked));
    const refused = [
      undefined,
      'nonsense',
      await makeKey(database),
      (await makeKey(database)).replace('lok_', 'lop_'),
      (await makeOperatorKey(database)).replace(/.{43}$/, 'A'.repeat(43)),
      await makeOperatorKey(database, new Date(Date.now() - 1)),
      revoked,
    ];
    for (const token of refused) {
      const answer = await perform(keyed, what, { token });
      expectProblem(answer, 401, 'unauthenticated');
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
    }
    const { status } = await perform(keyed, what, { token: await makeOperatorKey(database) });
    expect(status).toBe(what.includes('{id}') ? 404 : 200);
  });

  test.for(ofOrganizations)('does not open %s', async (what, { keyed, database }) => {
    const { organizationId, ids } = await createHolder(database);
    const answer = await perform(keyed, what, { token: await makeOperatorKey(database), ids, organizationId });
    expectProblem(answer, 401, 'unauthenticated');
  });

  test('cannot be seen, replaced or revoked over HTTP', async ({ keyed, database }) => {
    const id = idOf(await makeOperatorKey(database));
    const holder = keyed.as(await makeKey(database));
    expect((await holder('GET', '/api/keys')).text).not.toContain(id);
    expectProblem(await holder('POST', `/api/keys/${id}/rotate`), 404, 'not-found');
    expectProblem(await holder('DELETE', `/api/keys/${id}`), 404, 'not-found');
  });
});

describe('what operators are answered', () => {
  test('has ids, types and counts of all organizations, and nothing of a person', async ({ keyed, database }) => {
    const organizations: [string, string] = [`org-${randomUUID()}`, `org-${randomUUID()}`];
    await storeFailed(database, { organizationId: organizations[0], leads: 3 });
    await storeFailed(database, {
      organizationId: organizations[1],
      leads: 2,
      step: 'enrich',
      errorType: 'crm:http-503',
    });
    const call = keyed.as(await makeOperatorKey(database));
    const groups = await call<{ items: { organizationId: string }[]; complete: boolean }>('GET', '/ops/failures');
    expect(groups.body.complete).toBe(true);
    const at = expect.any(String) as string;
    expect(groups.body.items.filter(({ organizationId }) => organizations.includes(organizationId))).toEqual([
      {
        step: 'score',
        errorType: 'Timeout:START_TO_CLOSE',
        organizationId: organizations[0],
        leads: 3,
        newestAt: at,
      },
      { step: 'enrich', errorType: 'crm:http-503', organizationId: organizations[1], leads: 2, newestAt: at },
    ]);
    const dryRun = await call('POST', '/ops/retries', { filter: { organizationId: organizations[0] } });
    const retry = { filter: { organizationId: organizations[1] }, dryRun: false, reason: 'The CRM is back' };
    const { body } = await call<{ id: string }>('POST', '/ops/retries', retry);
    const leads = await call<string>('GET', `/ops/retries/${body.id}/leads`);
    const audit = await call<string>('GET', '/ops/audit');
    expect(leads.text.trim().split('\n')).toHaveLength(2);
    for (const { text } of [groups, dryRun, leads, audit]) expect(text).not.toMatch(/Hidden|@hidden|5511999/);
    await call('POST', `/ops/retries/${body.id}/cancel`, { reason: 'The test is over' });
    await database.pool.query('UPDATE bulk_retry SET finished_at = now() WHERE finished_at IS NULL');
  });
});
