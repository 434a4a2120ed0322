import { randomUUID } from 'node:crypto';
import { describe, expect, onTestFinished } from 'vitest';
import { dryRunRetry } from '../../src/failures/bulk-retry.ts';
import { groupFailures } from '../../src/failures/groups.ts';
import { explain } from '../support/explain.ts';
import { storeFailed } from '../support/failures.ts';
import { takeIn, test } from '../support/onboarding.ts';
import { createTestClient } from '../support/temporal.ts';
import { recordStatements } from '../support/statements.ts';
import { FAILURES } from '../../workflows/contract.ts';
import { ApplicationFailure } from '@temporalio/activity';

const HOUR_MS = 3_600_000;

describe('failures', () => {
  test('are those of the steps that gave up, until the lead is retried or erased', async ({ database, onboard }) => {
    const { pool, prisma } = database;
    const client = createTestClient();
    onTestFinished(() => client.connection.close());
    const organizationId = `org-${randomUUID()}`;
    const giveUp = (type: string) => () => Promise.reject(ApplicationFailure.nonRetryable('told to', type));
    const activities = {
      notifyAssignee: giveUp('ReceiverRefused'),
      enrichLead: giveUp('OutOfTime'),
      scoreLead: giveUp('PostgresError:23514'),
    };
    const { leadId, handle } = await onboard({ activities, lead: { organizationId } });
    await expect(handle.result()).rejects.toThrow();
    const { items } = await groupFailures(pool, { organizationId });
    expect(items.map(({ step, errorType, leads }) => [step, errorType, leads]).sort()).toEqual([
      ['notify', 'ReceiverRefused', 1],
      ['score', 'PostgresError:23514', 1],
    ]);
    expect(await dryRunRetry(pool, { organizationId })).toEqual({ leads: 1, sample: [leadId] });

    await prisma.onboarding.update({ where: { leadId }, data: { state: 'PENDING', round: 2 } });
    expect((await groupFailures(pool, { organizationId })).items).toEqual([]);
    await prisma.onboarding.update({ where: { leadId }, data: { state: 'FAILED' } });
    expect((await groupFailures(pool, { organizationId })).items).toMatchObject([{ step: 'unknown', leads: 1 }]);
    await prisma.leadRecord.delete({ where: { id: leadId } });
    expect((await groupFailures(pool, { organizationId })).items).toEqual([]);
  });

  test('of an enrichment have the first source that gave no answer', async ({ database: { pool, prisma } }) => {
    const database = { pool, prisma } as never;
    const organizationId = `org-${randomUUID()}`;
    const { leadId } = await takeIn(database, { organizationId });
    const providers = [
      { provider: 'email', answer: 'found' },
      { provider: 'crm', answer: 'stop', reason: 'http-503' },
    ];
    const entry = { id: randomUUID(), leadId, organizationId, type: 'enrichment.partial', stepKey: '1/enrichment' };
    await prisma.leadEvent.create({ data: { ...entry, data: { providers } } });
    await prisma.onboarding.update({ where: { leadId }, data: { state: 'PARTIAL' } });
    expect((await groupFailures(pool, { organizationId })).items).toMatchObject([
      { step: 'enrich', errorType: 'crm:http-503', leads: 1 },
    ]);
  });

  test.for([
    [{}, 'onboarding_failure_step_error_type_organization_id_at_idx: '],
    [
      { step: 'score', errorType: 'Timeout:START_TO_CLOSE', organizationId: 'org-1' },
      'onboarding_failure_step_error_type_organization_id_at_idx: .*organization_id',
    ],
    [
      { from: new Date(Date.now() - HOUR_MS).toISOString(), until: new Date().toISOString() },
      'onboarding_failure_(at|step_error_type_organization_id_at)_idx: .*at >=',
    ],
  ] as const)('by %j are grouped by an index', async ([filter, index], { database }) => {
    await storeFailed(database, { organizationId: 'org-1', leads: 500 });
    await storeFailed(database, { organizationId: 'org-2', leads: 500, step: 'enrich', errorType: FAILURES.leadGone });
    await database.pool.query('VACUUM ANALYZE onboarding_failure');
    const statements = recordStatements();
    await groupFailures(database.pool, filter);
    const statement = statements.find(({ text }) => text.includes('onboarding_failure'));
    if (!statement) return expect.fail('No group was read');
    expect(await explain(database.pool, statement)).toContainEqual(expect.stringMatching(new RegExp(`^${index}`)));
  });
});
