import { WorkflowNotFoundError } from '@temporalio/client';
import { onboardingWorkflowId, PRIORITY_SIGNAL } from '../../../workflows/contract.ts';
import { withDeadline } from '../../temporal/connection.ts';
import { RoundNotRunning } from '../failure.ts';
import type { SignalOrder } from '../order.ts';
import type { CarrierDependencies } from './dependencies.ts';
import { endErasedRun } from './end-erased-run.ts';

/** @throws RoundNotRunning when Temporal does not run the round that the command is for; the client's error */
export async function signalOnboarding({ client, log }: CarrierDependencies, order: SignalOrder): Promise<void> {
  const { leadId, payload } = order;
  const workflowId = onboardingWorkflowId(leadId);
  const { signal, round, requestId } = payload;
  const argument = payload.signal === PRIORITY_SIGNAL ? [{ priority: payload.priority, version: payload.version }] : [];
  const line = { leadId, workflowId, signal, round, requestId };
  if (payload.signal !== PRIORITY_SIGNAL && payload.erasedAt !== undefined) {
    const ended = await endErasedRun(client, order, payload.erasedAt);
    log.info(line, ended ? 'command passed on' : 'command came too late');
    return;
  }
  const notRunning = new RoundNotRunning(leadId, round);
  await withDeadline(client, async () => {
    const run = await client.workflow.getHandle(workflowId).describe();
    if (Number(run.memo?.['round'] ?? 1) !== round || run.status.name !== 'RUNNING') throw notRunning;
    const handle = client.workflow.getHandle(workflowId, run.runId);
    await (signal === 'cancel' ? handle.cancel() : handle.signal(signal, ...argument)); // only Temporal's own cancel ends it as canceled
  }).catch((err: unknown) => {
    throw err instanceof WorkflowNotFoundError ? notRunning : err;
  });
  log.info(line, 'command passed on');
}
