import { NativeConnection } from '@temporalio/worker';
import { onTestFinished } from 'vitest';
import { createLeadActivities } from '../../../../activities/lead.ts';
import type { EnrichmentProvider, LookupFacts } from '../../../../src/enrichment/provider.ts';
import { createWorker } from '../../../../src/temporal/worker.ts';
import { TASK_QUEUES } from '../../../../workflows/contract.ts';
import type { TestDatabase } from '../../../support/database.ts';
import { recordLog } from '../../../support/log.ts';

/** An error as libraries throw them: it quotes what was asked, in its text, its name and its fields. */
function quote({ email, phone, company }: LookupFacts): Error {
  const error = new TypeError(`Cannot look up ${email}\n    at ${email} (${company})`, {
    cause: new Error(phone ?? ''),
  });
  return Object.assign(error, { request: { email, phone } });
}

const throws: EnrichmentProvider = {
  name: 'throws',
  lookUp(facts) {
    throw quote(facts);
  },
};
const rejects: EnrichmentProvider = {
  name: 'rejects',
  // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- as careless libraries do
  lookUp: (facts) => Promise.reject(facts.email),
};
const stalls: EnrichmentProvider = {
  name: 'asks for patience',
  lookUp: () => ({ kind: 'retry', at: new Date(), reason: 'rate-limited' }),
};

/** A worker of the queue `lead` whose sources all fail. @returns its log so far, as text */
export async function startFailingSources(database: TestDatabase, address: string): Promise<() => string> {
  const { log, lines } = recordLog();
  const connection = await NativeConnection.connect({ address });
  const activities = createLeadActivities({ ...database, providers: [throws, rejects, stalls] });
  const workload = { activities, maxConcurrentActivityTaskExecutions: 3 };
  const worker = await createWorker(
    { connection, namespace: 'default', log, graceMs: 1_000 },
    TASK_QUEUES.lead,
    workload,
  );
  const running = worker.run();
  onTestFinished(async () => {
    worker.shutdown();
    await running;
    await connection.close();
  });
  return () => JSON.stringify(lines);
}
