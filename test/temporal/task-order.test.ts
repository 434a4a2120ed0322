import { expect, it } from 'vitest';
import { reportTaskOrder, taskOrderOf } from '../../src/temporal/task-order.ts';
import { recordLog } from '../support/log.ts';
import { createTestClient } from '../support/temporal.ts';

it.each([
  ['1.28.0', 'no', 'no', /1\.29 or newer/],
  ['1.29.7', 'by setting', 'by setting', /matching\.useNewMatcher and matching\.enableFairness/],
  ['1.30.1', 'by setting', 'by setting', /matching\.useNewMatcher/],
  ['1.31.2', 'yes', 'by setting', /^organizations take turns only with matching\.enableFairness/],
  ['2.0.0', 'yes', 'by setting', /matching\.enableFairness/],
])('a server %s: priority %s, fairness %s', (version, priority, fairness, advice) => {
  const order = taskOrderOf(version);
  expect(order).toMatchObject({ priority, fairness });
  expect(order.advice).toMatch(advice);
});

it('a real server tells its version, and the log says once what that means', async () => {
  const client = createTestClient();
  const { log, lines } = recordLog();
  await reportTaskOrder({ client }, log, new AbortController().signal);
  await client.connection.close();
  expect(lines).toMatchObject([{ msg: 'order of tasks', server: expect.stringMatching(/^1\.\d+\.\d+/) as unknown }]);
});
