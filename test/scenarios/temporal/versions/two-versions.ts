import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { NativeConnection, type WorkflowBundle } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished } from 'vitest';
import { createLeadActivities } from '../../../../activities/lead.ts';
import { createNotificationActivities } from '../../../../activities/notification.ts';
import { builtInProviders } from '../../../../src/enrichment/built-in.ts';
import * as deployments from '../../../../src/temporal/deployment.ts';
import { createWorker, type Workload } from '../../../../src/temporal/worker.ts';
import type { RescoreActivities } from '../../../../workflows/rescore-contract.ts';
import { onboardingWorkflowId, TASK_QUEUES, type TaskQueue } from '../../../../workflows/contract.ts';
import { rescoreWorkflowId } from '../../../../workflows/rescore-contract.ts';
import type { TestDatabase } from '../../../support/database.ts';
import { bundleIncompatible } from '../../../support/incompatible-bundle.ts';
import { recordLog } from '../../../support/log.ts';
import { takeIn, test } from '../../../support/onboarding.ts';
import { reconcilerPass } from '../../../support/reconciler.ts';
import { carrierTo, relayOnce } from '../../../support/relay.ts';
import { patiently } from '../../../support/temporal.ts';
import type { OwnTemporal } from './engine.ts';

const FAR_AWAY_MS = 24 * 3_600_000;
const SLEEPING = 50;
const PINNED = 1; // temporal.api.enums.v1.VersioningBehavior

const { log } = recordLog();
let temporal: OwnTemporal;
let ours: WorkflowBundle | { codePath: string };
let incompatible: WorkflowBundle;

/** Runs a worker until it is stopped, or the test ends. */
async function startWorker(taskQueue: TaskQueue, workload: Workload, buildId?: string) {
  const connection = await NativeConnection.connect({ address: temporal.address });
  const worker = await createWorker(
    { connection, namespace: temporal.client.options.namespace, log, graceMs: 1_000, buildId },
    taskQueue,
    workload,
  );
  const running = worker.run();
  const stop = async () => {
    if (worker.getState() === 'RUNNING') worker.shutdown();
    await running;
    await connection.close();
  };
  let stopped: Promise<void> | undefined;
  const once = () => (stopped ??= stop());
  onTestFinished(once);
  return { stop: once };
}

const readDeployment = () => patiently(() => deployments.readDeployment(temporal.client));
const setCurrentVersion = (buildId: string) => patiently(() => deployments.setCurrentVersion(temporal.client, buildId));
const rampVersion = (buildId: string, percentage: number) =>
  patiently(() => deployments.rampVersion(temporal.client, buildId, percentage));

/** A worker of the workflow queue that Temporal knows the version of. */
async function startVersion(workflowBundle: typeof ours, buildId: string) {
  const worker = await startWorker(TASK_QUEUES.onboarding, { workflowBundle }, buildId);
  await expect.poll(readDeployment).toMatchObject({
    versions: expect.arrayContaining([expect.objectContaining({ buildId })]) as unknown,
  });
  return worker;
}

const startUnversioned = (workflowBundle: typeof ours) => startWorker(TASK_QUEUES.onboarding, { workflowBundle });

/** The workers of activities, which have no version, however many the workflows have. */
async function startActivities(database: TestDatabase, overrides: Partial<RescoreActivities> = {}) {
  const lead = { ...createLeadActivities({ ...database, providers: builtInProviders }), ...overrides };
  await startWorker(TASK_QUEUES.notification, { activities: createNotificationActivities(database) });
  await startWorker(TASK_QUEUES.lead, { activities: lead, maxConcurrentActivityTaskExecutions: 3 });
}

const runOf = (leadId: string) => temporal.client.workflow.getHandle(onboardingWorkflowId(leadId));

/** Starts onboardings as a relay does, which knows of no version, and waits until each of them sleeps. */
async function startSleeping(database: TestDatabase, count: number): Promise<string[]> {
  const carry = carrierTo(temporal.client);
  const orders = await Promise.all(Array.from({ length: count }, () => takeIn(database, {}, FAR_AWAY_MS)));
  await Promise.all(orders.map((order) => carry(order)));
  for (const { leadId } of orders) await expect.poll(() => eventsOf(leadId)).toContain('timerStarted');
  return orders.map(({ leadId }) => leadId);
}

async function eventsOf(leadId: string): Promise<string[]> {
  const { events } = await runOf(leadId).fetchHistory();
  return (events ?? [])
    .flatMap((event) =>
      Object.entries(event).flatMap(([name, value]) => (value && name.endsWith('EventAttributes') ? [name] : [])),
    )
    .map((name) => name.replace('EventAttributes', ''));
}

/** A pass of the reconciler, which lets nothing wait that it has looked at before: visibility lags behind. */
async function lookAgain(database: TestDatabase) {
  await database.pool.query('UPDATE watch SET look_after = clock_timestamp()');
  return reconcilerPass(database, { client: temporal.client });
}

/** Which version a run is with, and whether it may move. */
async function versionOf(handle: ReturnType<typeof runOf>) {
  const { raw } = await handle.describe();
  const { behavior, deploymentVersion } = raw.workflowExecutionInfo?.versioningInfo ?? {};
  return { pinned: Number(behavior) === PINNED, buildId: deploymentVersion?.buildId };
}

/** Tries deploys of two versions on a Temporal server, in a namespace that nobody else uses. */
export function describeVersions(startServer: () => Promise<OwnTemporal>): void {
  describe('two versions of the workflow that cannot go on with each other’s runs', () => {
    beforeAll(async () => {
      ours = { codePath: inject('workflowBundle') };
      [temporal, incompatible] = await Promise.all([startServer(), bundleIncompatible()]);
    });
    afterAll(() => temporal.stop());

    test('without versions: a run stands still with a NondeterminismError, once the other one gets it', async ({
      database,
    }) => {
      await startActivities(database);
      const before = await startUnversioned(ours);
      const [leadId = ''] = await startSleeping(database, 1);
      await before.stop();
      await startUnversioned(incompatible);
      await runOf(leadId).signal('enrichNow');
      const failure = async () => {
        const { events } = await runOf(leadId).fetchHistory();
        const failed = events?.findLast(({ workflowTaskFailedEventAttributes: task }) => task);
        return failed?.workflowTaskFailedEventAttributes;
      };
      await expect.poll(async () => (await failure())?.failure?.message).toMatch(/nondeterminism/i);
      expect((await runOf(leadId).describe()).status.name).toBe('RUNNING');
      await runOf(leadId).terminate();
    });

    test(`with versions: ${SLEEPING} runs that sleep over the deploy, of both, all end`, async ({ database }) => {
      await startActivities(database);
      const first = await startVersion(ours, 'v1');
      await setCurrentVersion('v1');
      const old = await startSleeping(database, SLEEPING / 2);
      await startVersion(incompatible, 'v2');
      await setCurrentVersion('v2');
      const young = await startSleeping(database, SLEEPING / 2);
      expect(await readDeployment()).toMatchObject({ current: 'v2', ramping: undefined });
      await expect
        .poll(async () => (await readDeployment())?.versions)
        .toEqual(
          expect.arrayContaining([
            { buildId: 'v1', status: 'draining', openRuns: SLEEPING / 2 },
            { buildId: 'v2', status: 'current', openRuns: SLEEPING / 2 },
          ]),
        );

      await first.stop(); // so that what it had in memory is replayed by another worker of its version
      await startVersion(ours, 'v1');
      for (const leadId of [...old, ...young]) await runOf(leadId).signal('enrichNow');
      for (const leadId of old) {
        expect(await runOf(leadId).result()).toMatchObject({ state: 'COMPLETED', enrichment: 'completed' });
        expect(await versionOf(runOf(leadId))).toEqual({ pinned: true, buildId: 'v1' });
      }
      for (const leadId of young) {
        expect(await runOf(leadId).result()).toEqual({ state: 'COMPLETED', by: 'incompatible' });
        expect(await versionOf(runOf(leadId))).toEqual({ pinned: true, buildId: 'v2' });
      }
      for (const leadId of [...old, ...young]) expect(await eventsOf(leadId)).not.toContain('workflowTaskFailed');
      expect(await database.prisma.lead.count({ where: { onboardingState: 'COMPLETED' } })).toBe(SLEEPING);
      await expect
        .poll(async () => (await readDeployment())?.versions)
        .toContainEqual({ buildId: 'v1', status: 'drained', openRuns: 0 });
    });

    test('a run that was lost begins anew with the version of now', async ({ database }) => {
      await database.pool.query('DELETE FROM lead'); // of the tests before: their runs are lost as well
      await startActivities(database);
      await startVersion(ours, 'v1');
      await setCurrentVersion('v1');
      const [leadId = ''] = await startSleeping(database, 1);
      await startVersion(incompatible, 'v2');
      await setCurrentVersion('v2');
      await database.pool.query('DELETE FROM outbox');
      await runOf(leadId).terminate();
      await expect.poll(() => lookAgain(database)).toMatchObject({ 'ordered again': 1 });
      await relayOnce({ pool: database.pool, carryOut: carrierTo(temporal.client), log });
      expect(await runOf(leadId).result()).toMatchObject({ by: 'incompatible' });
      expect(await versionOf(runOf(leadId))).toEqual({ pinned: true, buildId: 'v2' });
    });

    test('a rescore goes on with the version of now: when it is woken, and when it continues as new', async ({
      database,
    }) => {
      let pages = 0;
      const rescorePage = () => {
        pages += 1;
        return Promise.resolve({ pages, next: pages === 1 ? 'wait' : pages === 60 ? 'end' : 'page' } as const);
      };
      await startActivities(database, { rescorePage });
      await startVersion(ours, 'v1');
      await setCurrentVersion('v1');
      const rescoreId = randomUUID();
      const order = { id: randomUUID(), leadId: null, organizationId: 'org-1', kind: 'RESCORE_LEADS' as const };
      const wake = () => carrierTo(temporal.client)({ ...order, payload: { rescoreId, requestId: 'request-1' } });
      const run = () => temporal.client.workflow.getHandle(rescoreWorkflowId(rescoreId));
      await wake();
      await expect.poll(() => versionOf(run())).toEqual({ pinned: false, buildId: 'v1' });
      await expect.poll(() => pages).toBe(1);

      await startVersion(incompatible, 'v2');
      await setCurrentVersion('v2');
      const { runId } = await run().describe();
      await wake();
      expect(await run().result()).toEqual({ pages: 60 });
      expect((await run().describe()).runId).not.toBe(runId);
      expect(await versionOf(temporal.client.workflow.getHandle(rescoreWorkflowId(rescoreId), runId))).toEqual({
        pinned: false,
        buildId: 'v2',
      });
      expect(await versionOf(run())).toEqual({ pinned: false, buildId: 'v2' });
    });

    test('a deployment is found while the workflow that Temporal keeps of it continues as new', async () => {
      await startVersion(ours, 'v1');
      const kept = temporal.client.workflow.getHandle(`temporal-sys-worker-deployment:${deployments.DEPLOYMENT_NAME}`);
      const readLater = (ms: number) => sleep(ms).then(() => readDeployment());
      for (let round = 0; round < 10; round += 1) {
        await kept.signal('force-continue-as-new');
        const read = await Promise.all(Array.from({ length: 10 }, (_, i) => readLater(5 * i)));
        expect(read).not.toContain(undefined);
      }
    });

    test('a version that is ramped gets its share of the runs, and no more once the ramp has ended', async ({
      database,
    }) => {
      await startActivities(database);
      await startVersion(ours, 'v1');
      await setCurrentVersion('v1');
      await startVersion(incompatible, 'v2');
      const buildIds = async () => {
        const leadIds = await startSleeping(database, 4);
        const versions = await Promise.all(leadIds.map((leadId) => versionOf(runOf(leadId))));
        await Promise.all(leadIds.map((leadId) => runOf(leadId).terminate()));
        return versions.map(({ buildId }) => buildId);
      };
      await rampVersion('v2', 100);
      expect(await readDeployment()).toMatchObject({
        current: 'v1',
        ramping: { buildId: 'v2', percentage: 100 },
      });
      expect(await buildIds()).toEqual(['v2', 'v2', 'v2', 'v2']);
      await rampVersion('v2', 0);
      expect(await readDeployment()).toMatchObject({ current: 'v1', ramping: undefined });
      expect(await buildIds()).toEqual(['v1', 'v1', 'v1', 'v1']);
    });
  });
}
