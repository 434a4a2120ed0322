import { expect, onTestFinished } from 'vitest';
import { SEARCH_ATTRIBUTES, TASK_QUEUES } from '../../workflows/contract.ts';
import { recordLog } from '../support/log.ts';
import { keywords, newNamespace } from '../support/namespace.ts';
import { takeIn, test } from '../support/onboarding.ts';
import { carrierTo } from '../support/relay.ts';
import { startWorkers } from '../support/workers.ts';

const LEADS = 6;
/** One a second, of which some may come at once. What else is slow makes it longer only. */
const SETTING = '1';
const AT_LEAST_MS = 2_000;
const HOUR_MS = 3_600_000;

test.for(['NOTIFICATION_RATE', 'NOTIFICATION_QUEUE_RATE'])('%s spreads what waits', async (rate, { database }) => {
  const { client } = await newNamespace(keywords(SEARCH_ATTRIBUTES)); // Temporal keeps a queue's rate for later workers
  const began: number[] = [];
  const activities = {
    notifyAssignee: () => {
      began.push(performance.now());
      return Promise.resolve({ outcome: 'created' as const });
    },
  };
  const { log } = recordLog();
  const queues = [TASK_QUEUES.onboarding, TASK_QUEUES.notification];
  const { namespace } = client.options;
  const settings = { [rate]: SETTING };
  const workers = await startWorkers(database, log, activities, queues, undefined, { namespace, settings });
  onTestFinished(() => workers.stop());
  const orders = await Promise.all(Array.from({ length: LEADS }, () => takeIn(database, {}, HOUR_MS)));
  const orderedAt = performance.now();
  await Promise.all(orders.map(carrierTo(client)));
  await expect.poll(() => began).toHaveLength(LEADS);
  expect(Math.max(...began) - orderedAt).toBeGreaterThanOrEqual(AT_LEAST_MS);
});
