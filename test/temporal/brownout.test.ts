import { expect, inject, it, onTestFinished } from 'vitest';
import { openTemporal, withDeadline } from '../../src/temporal/connection.ts';
import { startPolling } from '../../src/temporal/polling.ts';
import { TASK_QUEUES } from '../../workflows/contract.ts';
import { recordLog } from '../support/log.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { testNamespace } from '../support/temporal.ts';

/** In each direction: no answer comes within the 2 s of a pulse. */
const SLOW_MS = 1_500;
const DEADLINE_MS = 60_000;

const proxyToTemporal = () => startTcpProxy(Number(inject('temporalAddress').split(':')[1]));

it('keeps the client of a Temporal that is only slow, with the calls that are under way', async () => {
  const proxy = await proxyToTemporal();
  const connectionOptions = { address: `127.0.0.1:${proxy.port}` };
  const temporal = openTemporal({ connectionOptions, namespace: testNamespace() });
  onTestFinished(async () => {
    await temporal.close();
    await proxy.close();
  });
  await expect.poll(() => temporal.inReach).toBe(true);
  const { client } = temporal;
  const ask = () => withDeadline(client, () => client.connection.workflowService.getSystemInfo({}), DEADLINE_MS);

  proxy.setLatency(SLOW_MS);
  const calls: Promise<unknown>[] = [];
  await expect
    .poll(() => {
      calls.push(ask());
      return temporal.inReach;
    })
    .toBe(false);
  await Promise.all(calls);
  expect(temporal.client).toBe(client);

  proxy.setLatency(0);
  await expect.poll(() => temporal.inReach).toBe(true);
  expect(temporal.client).toBe(client);
});

it('keeps the workers on a Temporal that is only slow', async () => {
  const proxy = await proxyToTemporal();
  const { log, lines } = recordLog();
  const polling = startPolling({
    connectionOptions: { address: `127.0.0.1:${proxy.port}` },
    namespace: testNamespace(),
    workloads: new Map([[TASK_QUEUES.onboarding, { workflowBundle: { codePath: inject('workflowBundle') } }]]),
    graceMs: 1_000,
    log,
  });
  onTestFinished(async () => {
    proxy.cut();
    await polling.stop();
    await proxy.close();
  });
  await expect.poll(() => polling.problem).toBeUndefined();
  proxy.setLatency(SLOW_MS);
  await expect.poll(() => polling.problem).toBe('Temporal does not answer');
  proxy.setLatency(0);
  await expect.poll(() => polling.problem).toBeUndefined();
  expect(lines.filter(({ msg }) => msg === 'worker polls')).toHaveLength(1);
});
