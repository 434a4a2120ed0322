import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import { inject } from 'vitest';
import { namespaceOf } from './global-setup.ts';
import { workflowCoverage } from './workflow-coverage.ts';

/** The namespace of this test process: files that run side by side do not see each other's task queues. */
export const testNamespace = () => namespaceOf(process.env['VITEST_POOL_ID'] ?? '1');

export function createTestClient(): Client {
  return new Client({
    connection: Connection.lazy({ address: inject('temporalAddress') }),
    namespace: testNamespace(),
  });
}

/** Replays a run's history against today's workflow code. @throws when the code would decide otherwise. */
export async function replay(handle: WorkflowHandle): Promise<void> {
  const history = await handle.fetchHistory();
  await Worker.runReplayHistory(
    { workflowBundle: { codePath: inject('workflowBundle') }, sinks: workflowCoverage.sinks },
    history,
    handle.workflowId,
  );
}

/** A run's history as text, with its payloads decoded, to look for what must or must not be in it. */
export async function historyText(handle: WorkflowHandle): Promise<string> {
  const texts: string[] = [];
  const collect = (value: unknown): void => {
    if (value instanceof Uint8Array) texts.push(Buffer.from(value).toString('utf8'));
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(collect);
    else texts.push(String(value));
  };
  collect((await handle.fetchHistory()).events);
  return texts.join('\n');
}
