import type { Client } from '@temporalio/client';
import type { Pool } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { onboardingWorkflowId } from '../../workflows/contract.ts';
import type { PrismaClient } from '../db/generated/client.ts';
import type { Logger } from '../logger.ts';
import { hasEnded, latestRun } from './latest-run.ts';
import { mendOnboarding } from './mend.ts';
import { lookLater, type UnfinishedLead, unfinishedLeads } from './unfinished.ts';
import { emptyTally, judgeAll, type Tally, type Verdict } from './verdicts.ts';

/** Leads looked at together, with as many calls to Temporal under way. */
const PAGE = 50;
/** A round ends when so many were found well: a backlog of leads must not become a load on Temporal. */
const MAX_UNDER_WAY = 1_000;

export interface ReconcilerDependencies {
  pool: Pool;
  prisma: PrismaClient;
  client: Client;
  log: Logger;
  /** Milliseconds for which a lead may stand still without a question. */
  patienceMs: number;
  enrichmentDelayMs: number;
  /** Told when there are new orders. */
  wakeRelay: () => void;
}

/**
 * One round over the unfinished leads that stand still. One whose run is missing (Temporal lost its store), or has
 * ended without Postgres knowing, is ordered again, or closed when it was to be canceled.
 * @returns how many leads got which verdict
 * @throws the client's or the database's error: the rest waits for the next round
 */
export async function reconcileOnboardings(deps: ReconcilerDependencies, signal?: AbortSignal): Promise<Tally> {
  const { pool, log, patienceMs } = deps;
  const tally = emptyTally();
  const before = await endOfPatience(pool, patienceMs);
  for (;;) {
    const leads = await unfinishedLeads(pool, { before, limit: PAGE });
    await judgeAll(leads, (lead) => judge(deps, lead), { tally, log });
    await lookLater(
      pool,
      leads.map(({ leadId }) => leadId),
    );
    if (tally['ordered again'] > 0) deps.wakeRelay();
    if (leads.length < PAGE || tally['under way'] >= MAX_UNDER_WAY || signal?.aborted) return tally;
  }
}

async function judge(deps: ReconcilerDependencies, lead: UnfinishedLead): Promise<Verdict> {
  const { leadId, organizationId, round } = lead;
  if (lead.ordered) return 'under way';
  const workflowId = onboardingWorkflowId(leadId);
  const run = await latestRun(deps.client, workflowId);
  if (!hasEnded(run)) return 'under way';
  const requestId = `reconciler-${uuidv7()}`;
  const verdict = await mendOnboarding(deps.prisma, { ...lead, run, requestId }, deps.enrichmentDelayMs);
  const line = { leadId, organizationId, workflowId, round, run: run.status, requestId };
  if (verdict !== 'under way') deps.log.warn(line, `onboarding stood still: ${verdict}`);
  return verdict;
}

/** By the database's clock, which also wrote the times that are compared with it. */
async function endOfPatience(pool: Pool, patienceMs: number): Promise<Date> {
  const { rows } = await pool.query<{ before: Date }>(
    `SELECT clock_timestamp() - $1 * interval '1 millisecond' AS before`,
    [patienceMs],
  );
  return rows[0]?.before ?? new Date(0);
}
