import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, it, onTestFinished } from 'vitest';
import { openTemporal, type Temporal, withDeadline } from '../../src/temporal/connection.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { testNamespace } from '../support/temporal.ts';

/** The promise is 5 s; a busy machine gets twice as much. Without care it takes 25 s, or for ever. */

const ask = ({ client }: Temporal, milliseconds = 500) =>
  withDeadline(client, () => client.connection.workflowService.getSystemInfo({}), milliseconds).then(
    () => true,
    () => false,
  );

/** A process' way to Temporal, through a network that the test can break. */
async function connectThroughProxy() {
  const proxy = await startTcpProxy(Number(inject('temporalAddress').split(':')[1]));
  const address = `127.0.0.1:${proxy.port}`;
  const temporal = openTemporal({ connectionOptions: { address }, namespace: testNamespace() });
  onTestFinished(async () => {
    await temporal.close();
    await proxy.close();
  });
  await expect.poll(() => temporal.inReach).toBe(true);
  return { proxy, temporal };
}

async function expectBack(temporal: Temporal) {
  const startedAt = performance.now();
  await expect.poll(() => ask(temporal), { interval: 50 }).toBe(true);
  await expect.poll(() => temporal.inReach).toBe(true);
  console.log(`usable again after ${Math.round(performance.now() - startedAt)} ms`);
}

const expectLost = (temporal: Temporal) => expect.poll(() => temporal.inReach).toBe(false);

it('gives up connections that are dead although Temporal is there, also those of its silent time', async () => {
  const { proxy, temporal } = await connectThroughProxy();
  proxy.setSilent(true);
  await expectLost(temporal);
  proxy.abandon();
  proxy.setSilent(false);
  await expectBack(temporal);
});

it('lets calls that are under way end when it is closed', async () => {
  const { proxy, temporal } = await connectThroughProxy();
  await proxy.close();
  const call = ask(temporal);
  await temporal.close();
  expect(await call).toBe(false);
  await sleep(1_000); // what the SDK would do by a timer has happened by now
});
