import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../src/local/ports.ts';
import { startPolling } from '../../src/temporal/polling.ts';
import { TASK_QUEUES } from '../../workflows/contract.ts';
import { recordLog } from '../support/log.ts';
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
