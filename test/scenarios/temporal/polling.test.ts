import { expect, inject, onTestFinished, vi } from 'vitest';
import { createLeadActivities } from '../../../activities/lead.ts';
import { createNotificationActivities } from '../../../activities/notification.ts';
import { builtInProviders } from '../../../src/enrichment/built-in.ts';
import { type Polling, startPolling } from '../../../src/temporal/polling.ts';
import type { Workload } from '../../../src/temporal/worker.ts';
import type { NotificationActivities } from '../../../workflows/activities.ts';
import { onboardingWorkflowId, TASK_QUEUES, type TaskQueue } from '../../../workflows/contract.ts';
import type { TestDatabase } from '../../support/database.ts';
import { recordLog } from '../../support/log.ts';
import { takeIn, test } from '../../support/onboarding.ts';
import { startTcpProxy } from '../../support/tcp-proxy.ts';
import { createTestClient, testNamespace } from '../../support/temporal.ts';
import { carrierTo } from '../../support/relay.ts';

/** The promises are 10 s and 5 s; a busy machine gets more. Without care it is for ever and 45 s. */

type Notify = NotificationActivities['notifyAssignee'];

/** Workers of all queues on one connection, through a network that the test can break. */
async function pollThroughProxy(database: TestDatabase, wrap = (notify: Notify): Notify => notify) {
  const proxy = await startTcpProxy(Number(inject('temporalAddress').split(':')[1]));
  const notification = createNotificationActivities(database);
  const workloads = new Map<TaskQueue, Workload>([
    [TASK_QUEUES.onboarding, { workflowBundle: { codePath: inject('workflowBundle') } }],
    [TASK_QUEUES.notification, { activities: { ...notification, notifyAssignee: wrap(notification.notifyAssignee) } }],
    [TASK_QUEUES.lead, { activities: createLeadActivities({ ...database, providers: builtInProviders }) }],
  ]);
  const polling = startPolling({
    connectionOptions: { address: `127.0.0.1:${proxy.port}` },
    namespace: testNamespace(),
    workloads,
    graceMs: 1_000,
    log: recordLog().log,
  });
  onTestFinished(async () => {
    proxy.cut(); // what hangs on a dead connection would keep an old session for a minute
    await polling.stop();
    await proxy.close();
  });
  return { proxy, polling };
}

async function expectPolling(polling: Polling) {
  const startedAt = performance.now();
  await expect.poll(() => polling.problem, { interval: 50 }).toBeUndefined();
  console.log(`polls after ${Math.round(performance.now() - startedAt)} ms`);
}

async function expectLost(polling: Polling, reason: RegExp) {
  const startedAt = performance.now();
  await expect.poll(() => polling.problem, { interval: 50 }).toMatch(reason);
  console.log(`known to be lost after ${Math.round(performance.now() - startedAt)} ms`);
}

const startLead = async (database: TestDatabase) => {
  const client = createTestClient();
  onTestFinished(() => client.connection.close());
  const order = await takeIn(database);
  await carrierTo(client)(order);
  return client.workflow.getHandle(onboardingWorkflowId(order.leadId));
};

/** A lead that is taken in now is onboarded by these workers. */
async function expectOnboarding(database: TestDatabase) {
  const run = await startLead(database);
  expect(await run.result()).toMatchObject({ state: 'COMPLETED' });
}

test('workers give up a connection that is dead although Temporal is there', async ({ database }) => {
  const { proxy, polling } = await pollThroughProxy(database);
  await expectPolling(polling);
  proxy.abandon();
  await expectLost(polling, /connection is dead|Temporal does not answer/);
  await expectPolling(polling);
  await expectOnboarding(database);
});

test('what a lost session has in hand is finished, and awaited at the end', async ({ database }) => {
  let finish = () => {};
  const mayEnd = new Promise<void>((resolve) => (finish = resolve));
  const started = vi.fn();
  const ended = vi.fn();
  const { proxy, polling } = await pollThroughProxy(database, (notify) => async (input) => {
    started();
    await mayEnd;
    return notify(input).finally(ended);
  });
  await expectPolling(polling);
  await startLead(database);
  await expect.poll(() => started.mock.calls.length).toBe(1);
  await proxy.close();
  await expectLost(polling, /Temporal/);
  const stopped = vi.fn();
  const stop = polling.stop().then(stopped);
  setTimeout(finish, 500);
  await stop;
  expect(ended).toHaveBeenCalled();
  expect(ended.mock.invocationCallOrder[0]).toBeLessThan(stopped.mock.invocationCallOrder[0] ?? 0);
});
