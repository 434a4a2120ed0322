import { expect } from 'vitest';
import { enrichmentWorkflowId } from '../../workflows/enrichment-contract.ts';
import { testWithoutStarts as test, type TestApi } from '../support/api.ts';
import type { TestDatabase } from '../support/database.ts';
import { recordLog } from '../support/log.ts';
import type { Onboarding } from '../support/onboarding.ts';
import { reconcilerPass, untilEnded } from '../support/reconciler.ts';
import { carrierTo, relayOnce } from '../support/relay.ts';
import { createTestClient } from '../support/temporal.ts';
import { answerWorkflowTask, CANCEL } from '../support/workflow-task.ts';

const client = createTestClient();
const { log } = recordLog();
const relay = ({ pool }: TestDatabase) => relayOnce({ pool, carryOut: carrierTo(client), log });

async function order(api: TestApi, leadId: string, query = ''): Promise<string> {
  const { status, body } = await api.call<{ run: string }>('POST', `/api/leads/${leadId}/enrich${query}`);
  expect(status).toBe(202);
  return body.run;
}

const resultOf = (leadId: string, run: string) =>
  client.workflow.getHandle(enrichmentWorkflowId(leadId, run)).result() as Promise<unknown>;

/** Which of the runs have their enrichment and their score on the timeline. */
async function onTimeline({ prisma }: TestDatabase, leadId: string, runs: string[]): Promise<string[]> {
  const events = await prisma.leadEvent.findMany({ where: { leadId }, select: { stepKey: true } });
  const keys = new Set(events.map(({ stepKey }) => stepKey));
  return runs.filter((run) => ['enrichment', 'score'].every((step) => keys.has(`enrichment-${run}/${step}`)));
}

/** A lead whose onboarding is over. @returns its id */
async function onboarded(onboard: () => Promise<Onboarding>): Promise<string> {
  const { leadId, handle } = await onboard();
  await handle.result();
  return leadId;
}

test('two enrichments that were answered 202 are both carried out, side by side', async ({
  api,
  database,
  onboard,
}) => {
  const leadId = await onboarded(onboard);
  const first = await order(api, leadId);
  expect((await api.call('PATCH', `/api/leads/${leadId}`, { company: 'Globex' })).status).toBe(200);
  const second = await order(api, leadId, '?fresh=true');
  await relay(database);
  const scored = expect.objectContaining({ enrichment: 'completed', score: expect.any(Number) as number }) as unknown;
  expect(await Promise.all([resultOf(leadId, first), resultOf(leadId, second)])).toEqual([scored, scored]);
  expect(await onTimeline(database, leadId, [first, second])).toEqual([first, second]);
  expect(await database.prisma.watch.count()).toBe(0);
});

test('an enrichment whose run was lost is ordered again, as it was, and carried out', async ({
  api,
  database,
  onboard,
}) => {
  const leadId = await onboarded(onboard);
  const run = await order(api, leadId, '?fresh=true');
  await database.pool.query('DELETE FROM outbox');
  expect(await reconcilerPass(database)).toMatchObject({ 'ordered again': 1 });
  const [row] = await database.prisma.outbox.findMany({ where: { leadId } });
  expect(row).toMatchObject({ kind: 'ENRICH_LEAD', payload: { run, fresh: true } });
  await relay(database);
  await resultOf(leadId, run);
  expect(await onTimeline(database, leadId, [run])).toEqual([run]);
  expect(await reconcilerPass(database)).toMatchObject({ 'ordered again': 0, 'under way': 0 });
});

test('an enrichment that somebody canceled in Temporal is skipped, and does not come again', async ({
  api,
  database,
  onboard,
}) => {
  const leadId = await onboarded(onboard);
  const run = await order(api, leadId);
  await database.pool.query('DELETE FROM outbox');
  const workflowId = enrichmentWorkflowId(leadId, run);
  const handle = await client.workflow.start('unknown', { workflowId, taskQueue: 'by-the-test' });
  await answerWorkflowTask(client, { taskQueue: 'by-the-test', workflowId }, [CANCEL]);
  await untilEnded(handle.workflowId);
  expect(await reconcilerPass(database)).toMatchObject({ canceled: 1, 'ordered again': 0 });
  const stepKey = `enrichment-${run}/enrichment`;
  expect(await database.prisma.leadEvent.findUnique({ where: { leadId_stepKey: { leadId, stepKey } } })).toMatchObject({
    type: 'enrichment.skipped',
    data: { reason: 'RunCanceled' },
  });
  expect(await database.prisma.outbox.count()).toBe(0);
  expect(await database.prisma.watch.count()).toBe(0);
});
