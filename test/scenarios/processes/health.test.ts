import { randomUUID } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { describe, expect, inject, onTestFinished } from 'vitest';
import type { Lead } from '../../../src/leads/lead.ts';
import { projectRoot } from '../../../src/local/project-root.ts';
import { ensureDatabase } from '../../../src/local/postgres/database.ts';
import { migrate } from '../../../src/local/postgres/migrations.ts';
import { connectionStringOf } from '../../../src/local/postgres/postgres.ts';
import { onboardingWorkflowId, TASK_QUEUES } from '../../../workflows/contract.ts';
import { newLead, test } from '../../support/api.ts';
import { query } from '../../db/support.ts';
import { takeIn } from '../../support/onboarding.ts';
import { atPort, startProcess, type TestProcess } from '../../support/processes.ts';
import { startRefusingFront } from '../../support/refusing-front.ts';
import { startTcpProxy } from '../../support/tcp-proxy.ts';
import { createTestClient } from '../../support/temporal.ts';

/** The promises are 10 s to be red, and 5 s to be green again; a busy machine gets more. */
const RED = { interval: 100 };
const GREEN = { interval: 100 };
const STARTED = { interval: 200 };

const QUEUES = Object.values(TASK_QUEUES).flatMap((queue) => ['--task-queue', queue]);

/** API, relay and a worker of all queues, through networks that the test can break. */
async function startAll({ database, namespace }: { database: string; namespace?: string }) {
  const postgres = await startTcpProxy(inject('postgresPort'));
  const temporal = await startTcpProxy(Number(inject('temporalAddress').split(':')[1]));
  onTestFinished(async () => {
    await postgres.close();
    await temporal.close();
  });
  const settings = {
    DATABASE_URL: atPort(database, postgres.port),
    TEMPORAL_ADDRESS: `127.0.0.1:${temporal.port}`,
    ...(namespace !== undefined && { TEMPORAL_NAMESPACE: namespace }),
  };
  const start = async () => ({
    api: await startProcess('api', settings),
    relay: await startProcess('relay', settings),
    worker: await startProcess('worker', settings, QUEUES),
  });
  return { postgres, temporal, start };
}

/** Waits until a readiness probe answers this. Prints how long it took. */
async function expectReady(part: TestProcess, what: string, status: number, body: object, options: typeof RED) {
  const startedAt = performance.now();
  await expect.poll(() => part.readyz(), options).toMatchObject({ status, body });
  console.log(`${what}: ${status} after ${Math.round(performance.now() - startedAt)} ms`);
}

const containing = (text: string) => expect.stringContaining(text) as string;

type Parts = Awaited<ReturnType<Awaited<ReturnType<typeof startAll>>['start']>>;

const allGreen = ({ api, relay, worker }: Parts, options: typeof RED) =>
  Promise.all([
    expectReady(api, 'API', 200, { status: 'ok', temporal: 'reachable' }, options),
    expectReady(relay, 'relay', 200, { status: 'ok', temporal: 'reachable' }, options),
    expectReady(worker, 'worker', 200, { status: 'ok' }, options),
  ]);

const redWithoutTemporal = ({ api, relay, worker }: Parts) =>
  Promise.all([
    expectReady(api, 'API', 200, { status: 'ok', temporal: 'unreachable' }, RED),
    expectReady(relay, 'relay', 503, { reason: 'Temporal does not answer', temporal: 'unreachable' }, RED),
    expectReady(worker, 'worker', 503, { reason: containing('Temporal') }, RED),
  ]);

/** A lead that is sent now is onboarded. */
async function expectOnboarding({ url }: TestProcess) {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${url}/api/leads`, { method: 'POST', headers, body: JSON.stringify(newLead()) });
  expect(answer.status).toBe(201);
  const { id } = (await answer.json()) as Lead;
  const state = async () => ((await (await fetch(`${url}/api/leads/${id}`)).json()) as Lead).onboardingState;
  await expect.poll(state, STARTED).toBe('COMPLETED');
}

describe('/readyz of API, relay and worker', () => {
  test('tells the truth while Temporal and Postgres go and come', async ({ database }) => {
    const { postgres, temporal, start } = await startAll({ database: database.url });
    const parts = await start();
    await allGreen(parts, STARTED);

    await temporal.close();
    await redWithoutTemporal(parts);
    await temporal.reopen();
    await allGreen(parts, GREEN);

    temporal.setSilent(true);
    await redWithoutTemporal(parts);
    temporal.setSilent(false);
    await allGreen(parts, GREEN);

    postgres.setSilent(true);
    await Promise.all([
      expectReady(parts.api, 'API', 503, { detail: 'Postgres does not answer.' }, RED),
      expectReady(parts.relay, 'relay', 503, { reason: 'the relay cannot read its orders' }, RED),
    ]);
    postgres.setSilent(false);
    await allGreen(parts, GREEN);
    await expectOnboarding(parts.api);
    for (const part of Object.values(parts)) expect(part.log().filter(({ msg }) => msg === 'stopped')).toEqual([]);
  });
});

describe('/readyz of a relay', () => {
  test('tells a Temporal that refuses its orders from a Postgres that it cannot read', async ({ database }) => {
    const front = await startRefusingFront(
      inject('temporalAddress'),
      'StartWorkflowExecution',
      status.PERMISSION_DENIED,
    );
    const postgres = await startTcpProxy(inject('postgresPort'));
    onTestFinished(async () => {
      front.close();
      await postgres.close();
    });
    const { leadId } = await takeIn(database);
    await database.pool.query('UPDATE outbox SET available_at = now()');
    const relay = await startProcess('relay', {
      DATABASE_URL: atPort(database.url, postgres.port),
      TEMPORAL_ADDRESS: `127.0.0.1:${front.port}`,
    });
    const refused = { reason: 'Temporal refuses the orders', temporal: 'reachable' };
    await expectReady(relay, 'relay', 503, refused, STARTED);

    postgres.setSilent(true);
    await expectReady(relay, 'relay', 503, { reason: 'the relay cannot read its orders' }, RED);
    postgres.setSilent(false);
    await expectReady(relay, 'relay', 503, refused, RED);

    front.relent();
    await expectReady(relay, 'relay', 200, { status: 'ok' }, GREEN);
    expect(await database.prisma.outbox.count()).toBe(0);
    await createTestClient().workflow.getHandle(onboardingWorkflowId(leadId)).terminate('the test is over');
  });
});

describe('API, relay and worker', () => {
  test('start before Postgres and Temporal are there, before the database and the namespace are, and become ready', async () => {
    const name = `late_${randomUUID().replaceAll('-', '')}`;
    const database = connectionStringOf(inject('postgresPort'), name);
    const namespace = `late-${randomUUID()}`;
    const { postgres, temporal, start } = await startAll({ database, namespace });
    await Promise.all([postgres.close(), temporal.close()]);
    const parts = await start();
    const { api, relay, worker } = parts;
    await Promise.all([
      expectReady(api, 'API', 503, { detail: 'Postgres does not answer.' }, STARTED),
      expectReady(relay, 'relay', 503, { reason: containing('waiting for Postgres') }, STARTED),
      expectReady(worker, 'worker', 503, { reason: containing('waiting for Postgres') }, STARTED),
    ]);

    await Promise.all([postgres.reopen(), temporal.reopen()]);
    await ensureDatabase(connectionStringOf(inject('postgresPort')), name);
    onTestFinished(async () => {
      await query(connectionStringOf(inject('postgresPort')), `DROP DATABASE ${name} WITH (FORCE)`);
    });
    await expectReady(api, 'API', 503, { detail: containing('lacks a migration') }, GREEN);
    await migrate({ connectionString: database, root: projectRoot() });
    await expectReady(worker, 'worker', 503, { reason: containing('not found') }, GREEN);
    const client = createTestClient();
    await client.connection.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
    });
    await client.connection.close();
    await allGreen(parts, STARTED);

    await expectOnboarding(api);
  });
});
