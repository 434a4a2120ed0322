import { onboardingWorkflowId, PRIORITY_SIGNAL } from '../../../workflows/contract.ts';
import { withDeadline } from '../../temporal/connection.ts';
import type { SignalOrder } from '../order.ts';
import type { CarrierDependencies } from './dependencies.ts';
import { endErasedRun } from './end-erased-run.ts';

/**
 * A command for a run that is over, or for a round that a newer one has followed, has nothing left to do.
 * @throws Error, so that the order is tried again, while the run of its round is not there yet.
 */
export async function signalOnboarding({ client, log }: CarrierDependencies, order: SignalOrder): Promise<void> {
  const workflowId = onboardingWorkflowId(order.leadId);
  const { payload } = order;
  const { signal, round, requestId } = payload;
  const argument = payload.signal === PRIORITY_SIGNAL ? [{ priority: payload.priority, version: payload.version }] : [];
  const line = { leadId: order.leadId, workflowId, signal, round, requestId };
  if (payload.signal !== PRIORITY_SIGNAL && payload.erasedAt !== undefined) {
    const ended = await endErasedRun(client, order, payload.erasedAt);
    log.info(line, ended ? 'command passed on' : 'command came too late');
    return;
  }
  await withDeadline(client, async () => {
    const run = await client.workflow.getHandle(workflowId).describe();
    const running = Number(run.memo?.['round'] ?? 1);
    if (running < round) throw new Error(`${workflowId} still runs an earlier round`);
    if (running > round || run.status.name !== 'RUNNING') {
      log.info(line, 'command came too late');
      return;
    }
    const handle = client.workflow.getHandle(workflowId, run.runId);
    await (signal === 'cancel' ? handle.cancel() : handle.signal(signal, ...argument)); // only Temporal's own cancel ends it as canceled
    log.info(line, 'command passed on');
  });
}
