import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { afterEach, beforeEach, describe, expect, onTestFinished } from 'vitest';
import { findExpiredLeads } from '../../../src/personal-data/retention/expired-leads.ts';
import { applyRetentionSchedule } from '../../../src/personal-data/retention/schedule.ts';
import { TASK_QUEUES } from '../../../workflows/contract.ts';
import { RETENTION, RETENTION_SCHEDULE_ID } from '../../../workflows/retention-contract.ts';
import type { retention } from '../../../workflows/index.ts';
import { giveScore } from '../../support/scores.ts';
import { test } from '../../support/api.ts';
import type { TestDatabase } from '../../support/database.ts';
import { explain } from '../../support/explain.ts';
import { recordLog } from '../../support/log.ts';
import { takeIn } from '../../support/onboarding.ts';
import { recordStatements } from '../../support/statements.ts';
import { createTestClient, historyText, replay } from '../../support/temporal.ts';
import { type ActivityOverrides, startWorkers } from '../../support/workers.ts';
import { createPerson, tablesWithTraces, tracesIn } from '../person.ts';
import { age, takeInOld } from './old-leads.ts';
import { DAYS, erasedOf, trigger } from './retention-run.ts';

let client: Client;

beforeEach<{ database: TestDatabase }>(async ({ database }) => {
  client = createTestClient();
  await database.pool.query('TRUNCATE lead, lead_event, outbox, idempotency_key CASCADE');
});

afterEach(async () => {
  await applyRetentionSchedule(client, undefined);
  await client.connection.close();
});

async function runWorkers(database: TestDatabase, overrides?: ActivityOverrides): Promise<void> {
  const workers = await startWorkers(database, recordLog().log, overrides);
  onTestFinished(() => workers.stop());
}

describe('retention', () => {
  test('erases what is old and was left alone, and nothing else', async ({ api, database }) => {
    await runWorkers(database);
    const person = createPerson();
    const { leadId: canary } = await takeIn(database, person.lead);
    await age(database, [canary], DAYS + 1);
    const old = [canary, ...(await takeInOld(database, 3, DAYS + 1))];
    const young = await takeInOld(database, 2, DAYS - 1);
    const [changed = '', touched = '', judged = ''] = await takeInOld(database, 3, DAYS + 5);
    await giveScore(database, judged);
    const override = { score: 90, reason: 'Somebody knows them' };
    expect((await api.call('PUT', `/api/leads/${judged}/score/override`, override)).status).toBe(200);
    await api.call('PATCH', `/api/leads/${changed}`, { status: 'QUALIFIED' });
    const { email } = await database.prisma.lead.findUniqueOrThrow({ where: { id: touched } });
    const again = { organizationId: 'org-123', name: 'Ana', email };
    expect((await api.call('POST', '/api/leads', again)).status).toBe(200);

    const run = await trigger(client);
    expect(await run.result()).toEqual({ erased: old.length });
    expect(await erasedOf(database, [...old, ...young, changed, touched, judged])).toEqual(old);
    expect(await tablesWithTraces(database, person)).toEqual([]);
    const { body } = await api.call('GET', `/api/leads/${canary}/timeline`);
    expect(body).toMatchObject({
      items: [{ type: 'lead.erased', data: { reason: 'retention', metadata: { workflowId: run.workflowId } } }],
    });
    expect(tracesIn(await historyText(run), person)).toEqual([]);
    await replay(run);
  });

  test('leaves a lead alone that was changed since it was found', async ({ api, database }) => {
    const [kept = '', other = ''] = await takeInOld(database, 2, DAYS + 1);
    await runWorkers(database, {
      async findExpiredLeads() {
        await api.call('PATCH', `/api/leads/${kept}`, { status: 'CONVERTED' });
        return { leadIds: [kept, other, randomUUID()] };
      },
    });
    expect(await (await trigger(client)).result()).toEqual({ erased: 2 });
    expect(await erasedOf(database, [kept, other])).toEqual([other]);
  });

  test('goes on as a new run after so many pages, and counts over all of them', async ({ database }) => {
    await runWorkers(database);
    const old = await takeInOld(database, 15, DAYS + 1);
    const run = await client.workflow.start<typeof retention>(RETENTION, {
      workflowId: `${RETENTION_SCHEDULE_ID}-${randomUUID()}`,
      taskQueue: TASK_QUEUES.onboarding,
      args: [{ retentionDays: DAYS, pageSize: 2, pagesPerRun: 3 }],
    });
    expect(await run.result()).toEqual({ erased: old.length });
    expect(await erasedOf(database, old)).toEqual(old);
    const last = await client.workflow.getHandle(run.workflowId).describe();
    expect(last.runId).not.toBe(run.firstExecutionRunId);
    await replay(client.workflow.getHandle(run.workflowId, run.firstExecutionRunId));
  });

  test('looks old leads up in an index, wherever it goes on', async ({ database }) => {
    const statements = recordStatements();
    const after = { updatedAt: new Date(0).toISOString(), leadId: randomUUID() };
    for (const from of [undefined, after])
      await findExpiredLeads(database.prisma, { retentionDays: DAYS, pageSize: 100, after: from });
    expect(statements).toHaveLength(2);
    for (const statement of [...statements]) {
      const used = await explain(database.pool, statement);
      expect(used).toContainEqual(expect.stringMatching(/^lead_active_at_id_idx: .*active_at < /));
    }
  });
});
