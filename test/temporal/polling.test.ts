import { createServer } from 'node:net';
import { expect, inject, onTestFinished, test } from 'vitest';
import { freePort } from '../../src/local/ports.ts';
import { startPolling } from '../../src/temporal/polling.ts';
import { openSession } from '../../src/temporal/session.ts';
import type { Workload } from '../../src/temporal/worker.ts';
import { TASK_QUEUES, type TaskQueue } from '../../workflows/contract.ts';
import { recordLog } from '../support/log.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { testNamespace } from '../support/temporal.ts';

test('a Temporal that is only late at a start is no warning, one that stays away is', async () => {
  const port = await freePort();
  let tries = 0;
  const closing = createServer((socket) => {
    tries += 1;
    socket.destroy();
  }).listen(port, '127.0.0.1');
  const { log, lines } = recordLog();
  const polling = startPolling({
    connectionOptions: { address: `127.0.0.1:${port}` },
    namespace: testNamespace(),
    workloads: new Map([[TASK_QUEUES.notification, { activities: {} }]]),
    graceMs: 1_000,
    log,
  });
  onTestFinished(async () => {
    await polling.stop();
    closing.close();
  });
  await expect.poll(() => lines.length).toBeGreaterThan(0);
  expect(tries).toBeGreaterThan(1);
  expect(lines).toMatchObject([{ level: 40, msg: 'not polling; connecting to Temporal again' }]);
});

test('workers that cannot all be made leave neither a worker nor a connection behind', async () => {
  const proxy = await startTcpProxy(Number(inject('temporalAddress').split(':')[1]));
  onTestFinished(() => proxy.close());
  const activities = { idle: () => Promise.resolve() };
  const options = {
    connectionOptions: { address: `127.0.0.1:${proxy.port}` },
    namespace: testNamespace(),
    workloads: new Map<TaskQueue, Workload>([
      [TASK_QUEUES.notification, { activities }],
      [TASK_QUEUES.onboarding, { workflowBundle: { codePath: 'no such file' } }],
      [TASK_QUEUES.webhook, { activities }],
    ]),
    graceMs: 1_000,
    log: recordLog().log,
  };
  for (let attempt = 0; attempt < 3; attempt += 1) await expect(openSession(options)).rejects.toThrow('ENOENT');
  await expect.poll(() => proxy.open).toBe(0); // a connection cannot be closed while a worker holds it
});
