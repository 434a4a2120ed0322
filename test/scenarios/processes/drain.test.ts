import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, inject, onTestFinished } from 'vitest';
import { onboardingWorkflowId, TASK_QUEUES } from '../../../workflows/contract.ts';
import { newLead } from '../../support/api.ts';
import type { TestDatabase } from '../../support/database.ts';
import { takeIn, test } from '../../support/onboarding.ts';
import { holdTable } from '../../support/row-lock.ts';
import { atPort, startProcess, type TestProcess } from '../../support/processes.ts';
import { startTcpProxy } from '../../support/tcp-proxy.ts';
import { createTestClient } from '../../support/temporal.ts';
import { carrierTo } from '../../support/relay.ts';

const NOWHERE = '127.0.0.1:1';
/** Longer than a test: no enrichment comes in between. */
const SLEEP_MS = 60_000;

const proxyTo = async (port: number) => {
  const proxy = await startTcpProxy(port);
  onTestFinished(() => proxy.close());
  return proxy;
};
const postgresProxy = () => proxyTo(inject('postgresPort'));
const temporalProxy = () => proxyTo(Number(inject('temporalAddress').split(':')[1]));

const untilReady = (process: TestProcess) => expect.poll(async () => (await process.readyz()).status).toBe(200);

/** One request on an agent's connection. @returns its status and headers, once it is answered */
async function send(agent: Agent, url: string, method: string, body?: unknown) {
  const sent = request(url, { agent, method, headers: { 'content-type': 'application/json' } });
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  const [answer] = (await once(sent, 'response')) as [NodeJS.ReadableStream & { statusCode: number; headers: object }];
  answer.resume();
  await once(answer, 'end');
  return { status: answer.statusCode, headers: answer.headers };
}

/** An agent with one connection, which it keeps. */
function keepingAgent() {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  return agent;
}

describe('an API that is told to stop', () => {
  test('answers what it has begun, closes kept connections, takes no new ones, and ends with 0', async ({
    database,
  }) => {
    const api = await startProcess('api', {
      DATABASE_URL: database.url,
      TEMPORAL_ADDRESS: NOWHERE, // the lead is not for the workers of the next tests
    });
    await untilReady(api);
    const [busy, idle, late] = [keepingAgent(), keepingAgent(), keepingAgent()];
    for (const agent of [busy, idle, late]) await send(agent, `${api.url}/healthz`, 'GET');
    const idleSocket = Object.values(idle.freeSockets)[0]?.[0];
    if (!idleSocket) throw new Error('the connection was not kept');
    const idleClosed = once(idleSocket, 'close');

    const table = await holdTable(database, 'lead');
    const slow = send(busy, `${api.url}/api/leads`, 'POST', newLead());
    await table.contended();
    api.kill('SIGTERM');
    await expect.poll(() => api.log().at(-1)?.msg, { interval: 5 }).toBe('drains');
    const lateAnswer = await send(late, `${api.url}/healthz`, 'GET');
    await expect(fetch(`${api.url}/healthz`)).rejects.toThrow('fetch failed');

    await table.release();
    expect(lateAnswer).toMatchObject({ status: 200, headers: { connection: 'close' } });
    expect(await slow).toMatchObject({ status: 201, headers: { connection: 'close' } });
    await idleClosed;
    expect(await api.exited).toEqual([0, null]);
    expect(api.log().at(-1)?.msg).toBe('stopped');
  });

  test('gives a request up that never ends, after its grace period', async ({ database }) => {
    const api = await startProcess('api', { DATABASE_URL: database.url, SHUTDOWN_GRACE_MS: '500' });
    await untilReady(api);
    const socket = connect(api.port, '127.0.0.1').on('error', () => undefined);
    const head =
      'POST /api/leads HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 99\r\nexpect: 100-continue\r\n\r\n';
    socket.write(head);
    await once(socket, 'data'); // 100 Continue: the request has begun
    api.kill('SIGTERM');
    expect(await api.exited).toEqual([0, null]);
    expect(api.log().at(-1)?.msg).toMatch(/^given up/);
  });
});

describe('a worker that is told to stop', () => {
  const queues = Object.values(TASK_QUEUES).flatMap((queue) => ['--task-queue', queue]);

  async function startLead(database: TestDatabase) {
    const client = createTestClient();
    onTestFinished(() => client.connection.close());
    const order = await takeIn(database, {}, SLEEP_MS);
    await carrierTo(client)(order);
    const run = client.workflow.getHandle(onboardingWorkflowId(order.leadId));
    onTestFinished(() => run.terminate('the test is over').then(() => undefined));
    return order.leadId;
  }

  const steps = (worker: TestProcess, msg: string) =>
    worker.log().filter((line) => line.msg === msg && line['step'] === 'notifyAssignee');

  test('finishes the activity that it has in hand, at its first attempt, and ends with 0', async ({ database }) => {
    const proxy = await postgresProxy();
    const worker = await startProcess('worker', { DATABASE_URL: atPort(database.url, proxy.port) }, queues);
    await untilReady(worker);
    proxy.setLatency(100);
    const leadId = await startLead(database);
    await expect.poll(() => steps(worker, 'step started')).toHaveLength(1);
    worker.kill('SIGTERM');
    expect(await worker.exited).toEqual([0, null]);
    expect(steps(worker, 'step completed')).toMatchObject([{ leadId, attempt: 1 }]);
    expect(await database.prisma.notification.count({ where: { leadId } })).toBe(1);
    expect(worker.log().at(-1)?.msg).toBe('stopped');
  });

  test('is forced to end when Temporal holds it up', async ({ database }) => {
    const proxy = await temporalProxy();
    const settings = { TEMPORAL_ADDRESS: `127.0.0.1:${proxy.port}`, SHUTDOWN_GRACE_MS: '500' };
    const worker = await startProcess('worker', { ...settings, DATABASE_URL: database.url }, queues);
    await untilReady(worker);
    proxy.setSilent(true);
    worker.kill('SIGTERM');
    expect(await worker.exited).toEqual([0, null]);
    expect(worker.log().at(-1)?.msg).toMatch(/^given up/);
  });

  test('ends with 0 although it never found Temporal or Postgres', async () => {
    const settings = { DATABASE_URL: 'postgres://postgres@127.0.0.1:1/leads', TEMPORAL_ADDRESS: NOWHERE };
    const worker = await startProcess('worker', settings, queues);
    await expect.poll(async () => (await worker.readyz()).status).toBe(503);
    worker.kill('SIGTERM');
    expect(await worker.exited).toEqual([0, null]);
  });
});

describe('a relay that is told to stop', () => {
  test('finishes the orders that it has in hand, and ends with 0', async ({ database }) => {
    const proxy = await postgresProxy();
    const relay = await startProcess('relay', { DATABASE_URL: atPort(database.url, proxy.port), OUTBOX_POLL_MS: '10' });
    await untilReady(relay);
    const order = await takeIn(database, {}, SLEEP_MS);
    proxy.setLatency(200);
    await database.pool.query('UPDATE outbox SET available_at = now() WHERE id = $1', [order.id]);
    const attempts = async () => (await database.prisma.outbox.findUnique({ where: { id: order.id } }))?.attempts;
    await expect.poll(attempts, { interval: 5 }).toBe(1); // it has claimed the order, and not heard of it yet
    relay.kill('SIGTERM');
    expect(await relay.exited).toEqual([0, null]);
    expect(await attempts()).toBeUndefined();
    const client = createTestClient();
    await client.workflow.getHandle(onboardingWorkflowId(order.leadId)).terminate(`the test is over ${randomUUID()}`);
    await client.connection.close();
  });
});
