import { Client, Connection, isGrpcCancelledError, isGrpcDeadlineError, type WorkflowHandle } from '@temporalio/client';
import { inject, onTestFinished } from 'vitest';
import { freePort } from '../../src/local/ports.ts';
import { createClient } from '../../src/temporal/connection.ts';
import { namespaceOf } from './global-setup.ts';
import { recordHistory } from './histories.ts';
import { PATIENCE_MS } from './patience.ts';
import { replayHistory } from './replay-history.ts';

/** The namespace of this test process: files that run side by side do not see each other's task queues. */
export const testNamespace = () => namespaceOf(process.env['VITEST_POOL_ID'] ?? '1');

export function createTestClient(namespace = testNamespace()): Client {
  return new Client({ connection: Connection.lazy({ address: inject('temporalAddress') }), namespace });
}

/** The service's own client of a Temporal that is not there: each call is refused at once. */
export async function createClientOfNobody(): Promise<Client> {
  const connectionOptions = { address: `127.0.0.1:${await freePort()}` };
  const client = createClient({ connectionOptions, namespace: testNamespace() });
  onTestFinished(() => client.connection.close());
  return client;
}

/** The deadline of a call is over; where the server saw it first, it has cut the call off. */
const isLate = (err: unknown) => isGrpcDeadlineError(err) || isGrpcCancelledError(err);

/** Calls Temporal as our code does, with its deadline; again where a busy machine answered too late. */
export async function patiently<T>(call: () => Promise<T>, until = Date.now() + PATIENCE_MS): Promise<T> {
  try {
    return await call();
  } catch (err) {
    const wasLate = isLate(err) || (err instanceof Error && isLate(err.cause));
    if (!wasLate || Date.now() > until) throw err;
    return patiently(call, until);
  }
}

/**
 * Replays a run's history against today's workflow code, and keeps it when a release is recorded.
 * @throws when the code would decide otherwise
 */
export async function replay(handle: WorkflowHandle): Promise<void> {
  await replayHistory(await handle.fetchHistory(), handle.workflowId);
  await recordHistory(handle);
}

/** A run's history as text, with its payloads decoded, to look for what must or must not be in it. */
export async function historyText(handle: WorkflowHandle): Promise<string> {
  return textOf((await handle.fetchHistory()).events);
}

/** Every name and value of a message of Temporal's, a line each, with its payloads decoded. */
export function textOf(message: unknown): string {
  if (message instanceof Uint8Array) return Buffer.from(message).toString('utf8');
  if (typeof message !== 'object' || message === null) return String(message);
  return Object.entries(message)
    .map(([name, value]) => `${name}\n${textOf(value)}`)
    .join('\n');
}
