import { expect } from 'vitest';
import { freePort } from '../../../../src/local/ports.ts';
import { TASK_QUEUES, type TaskQueue } from '../../../../workflows/contract.ts';
import type { TestDatabase } from '../../../support/database.ts';
import { makeKey } from '../../../support/keyed-api.ts';
import { atPort, startProcess } from '../../../support/processes.ts';
import { startTcpProxy } from '../../../support/tcp-proxy.ts';
import { startWebhookReceiver } from '../../../support/webhook-receiver.ts';
import type { Person } from '../../../personal-data/person.ts';
import { type Call, withPassengers } from './error-paths.ts';
import { startOwnTemporal } from './temporal.ts';

/**
 * The deployment as it is in production, with its API, a relay and a worker as processes that log all they can, on a
 * Temporal of their own; the connections of the API and of the relay can be taken away.
 */
export async function startWorld(database: TestDatabase) {
  const temporal = await startOwnTemporal();
  const receiver = await startWebhookReceiver();
  const toPostgres = await startTcpProxy(Number(new URL(database.url).port));
  const toTemporal = await startTcpProxy(temporal.port);
  const [metricsPort, leadMetricsPort] = [await freePort(), await freePort()];
  const common = {
    TEMPORAL_NAMESPACE: 'default',
    LOG_LEVEL: 'trace',
    API_AUTH: 'required',
    RATE_LIMIT: 'off',
    WEBHOOK_ALLOW_HOSTS: '127.0.0.1',
  };
  const far = {
    ...common,
    DATABASE_URL: atPort(database.url, toPostgres.port),
    TEMPORAL_ADDRESS: `127.0.0.1:${toTemporal.port}`,
  };
  const near = {
    ...common,
    DATABASE_URL: database.url,
    TEMPORAL_ADDRESS: `127.0.0.1:${temporal.port}`,
    METRICS_PORT: String(metricsPort),
    NOTIFICATION_WEBHOOK_URL: receiver.url,
    NOTIFICATION_WEBHOOK_SECRET: receiver.secret,
  };
  const queues = (...names: TaskQueue[]) => names.flatMap((queue) => ['--task-queue', queue]);
  const [api, relay, worker, leadWorker] = await Promise.all([
    startProcess('api', far),
    startProcess('relay', { ...far, RETENTION_DAYS: '30', RECONCILE_INTERVAL_MS: '1000' }),
    startProcess('worker', near, queues(TASK_QUEUES.onboarding, TASK_QUEUES.notification, TASK_QUEUES.webhook)),
    startProcess('worker', { ...near, METRICS_PORT: String(leadMetricsPort) }, queues(TASK_QUEUES.lead)),
  ]);
  const processes = { api, relay, worker, leadWorker };
  for (const process of Object.values(processes))
    await expect.poll(async () => (await process.readyz()).status).toBe(200);
  const token = await makeKey(database);

  return {
    temporal,
    receiver,
    toPostgres,
    toTemporal,
    processes,
    /** What a Prometheus reads, of every process that has metrics. */
    metricsUrls: [metricsPort, leadMetricsPort].map((port) => `http://127.0.0.1:${port}/metrics`),
    /** Calls as the holder of a key, with the person in every header that may have one. @returns status and text */
    async call(call: Call, person: Person): Promise<{ status: number; text: string }> {
      const { method, path, body, headers } = withPassengers(call, person);
      const answer = await fetch(`${api.url}${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, ...headers },
        ...(body !== undefined && { body: isPlain(body) ? JSON.stringify(body) : body }),
        redirect: 'manual',
      });
      return { status: answer.status, text: await answer.text() };
    },
  };
}

export type World = Awaited<ReturnType<typeof startWorld>>;

const isPlain = (body: unknown): body is object =>
  Array.isArray(body) || Object.getPrototypeOf(body) === Object.prototype;
