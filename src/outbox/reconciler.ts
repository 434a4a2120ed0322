import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { Pool } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { onboardingWorkflowId } from '../../workflows/contract.ts';
import type { Logger } from '../logger.ts';
import { withDeadline } from '../temporal/connection.ts';
import { explainFailure } from './failure.ts';
import { type UnfinishedLead, orderAgain, unfinishedLeads } from './unfinished.ts';

/** Leads looked at together, with as many calls to Temporal under way. */
const PAGE = 50;

export interface ReconcilerDependencies {
  pool: Pool;
  client: Client;
  log: Logger;
  /** Milliseconds between rounds; 0 for no rounds at all. */
  intervalMs: number;
  /** Milliseconds for which an unfinished lead may stand still without a question. */
  patienceMs: number;
  enrichmentDelayMs: number;
}

export interface Reconciler {
  stop(): Promise<void>;
}

/** What became of a lead whose onboarding stands still. */
type Verdict = 'under way' | 'ordered again' | 'reported';

/** Looks, round after round, for onboardings that nothing would finish. Any number of copies may do so. */
export function startReconciler(deps: ReconcilerDependencies): Reconciler {
  const stopping = new AbortController();
  const pause = () =>
    sleep(deps.intervalMs, true, { signal: stopping.signal }).catch(() => false /* it was told to stop */);
  const loop = async () => {
    if (deps.intervalMs === 0) return;
    while (await pause()) await reconcileOnce(deps).catch((err: unknown) => report(deps.log, err));
  };
  const ended = loop();
  return {
    async stop() {
      stopping.abort();
      await ended;
    },
  };
}

/**
 * One round over all unfinished leads that have no order in the outbox and have not changed for a while. A lead whose
 * run is missing (Temporal lost its store), failed, timed out or was terminated, is ordered again.
 * @returns how many leads got which verdict
 * @throws the client's or the database's error: the rest waits for the next round
 */
export async function reconcileOnce(deps: ReconcilerDependencies): Promise<Record<Verdict, number>> {
  const verdicts = { 'under way': 0, 'ordered again': 0, reported: 0 };
  let after = '00000000-0000-0000-0000-000000000000';
  for (;;) {
    const leads = await unfinishedLeads(deps.pool, { after, limit: PAGE, patienceMs: deps.patienceMs });
    for (const verdict of await Promise.all(leads.map((lead) => reconcile(deps, lead)))) verdicts[verdict] += 1;
    const last = leads.at(-1);
    if (!last || leads.length < PAGE) return verdicts;
    after = last.leadId;
  }
}

async function reconcile(deps: ReconcilerDependencies, lead: UnfinishedLead): Promise<Verdict> {
  const { leadId, organizationId, round } = lead;
  const workflowId = onboardingWorkflowId(leadId);
  const run = await statusOf(deps.client, workflowId);
  switch (run) {
    case 'RUNNING':
    case 'CONTINUED_AS_NEW':
    case 'PAUSED':
      return 'under way';
    case 'MISSING':
    case 'FAILED':
    case 'TERMINATED':
    case 'TIMED_OUT': {
      const requestId = `reconciler-${uuidv7()}`;
      await orderAgain(deps.pool, lead, { enrichmentDelayMs: deps.enrichmentDelayMs, requestId });
      deps.log.warn({ leadId, organizationId, workflowId, round, run, requestId }, 'onboarding ordered again');
      return 'ordered again';
    }
    default:
      // Its run ended well, but Postgres does not know: it was restored from an older backup. That is for people.
      deps.log.error(
        { leadId, organizationId, workflowId, round, run },
        'onboarding unfinished although its run has ended',
      );
      return 'reported';
  }
}

async function statusOf(client: Client, workflowId: string): Promise<string> {
  try {
    const { status } = await withDeadline(client, () => client.workflow.getHandle(workflowId).describe());
    return status.name;
  } catch (err) {
    if (err instanceof WorkflowNotFoundError) return 'MISSING';
    throw err;
  }
}

function report(log: Logger, err: unknown): void {
  if (explainFailure(err).kind === 'unreachable') log.warn('Temporal is out of reach: nothing was reconciled');
  else log.error({ err }, 'round of the reconciler failed');
}
