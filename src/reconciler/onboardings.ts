import type { Client } from '@temporalio/client';
import type { Pool } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { onboardingWorkflowId } from '../../workflows/contract.ts';
import type { PrismaClient } from '../db/generated/client.ts';
import type { Logger } from '../telemetry/logger.ts';
import { hasEnded, latestRun, type LatestRun } from './latest-run.ts';
import { mendOnboarding } from './mend.ts';
import { lookLater, type UnfinishedLead, unfinishedLeads } from './unfinished.ts';
import { emptyTally, type Judge, judgePage, leftAlone, type Tally, type Verdict } from './verdicts.ts';

/** Leads looked at together, with as many calls to Temporal under way. */
const PAGE = 50;
/** A pass ends when it has looked at so many in vain: a backlog of leads must not become a load on Temporal. */
const MAX_LEFT_ALONE = 1_000;

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
 * One pass over the unfinished leads that stand still. One whose run is missing (Temporal lost its store), or has
 * ended without Postgres knowing, is ordered again, or closed when it was to be canceled.
 * @returns how many leads got which verdict
 * @throws the client's or the database's error: the rest waits for the next pass
 */
export async function reconcileOnboardings(deps: ReconcilerDependencies, signal?: AbortSignal): Promise<Tally> {
  const { pool, log, patienceMs } = deps;
  const tally = emptyTally();
  const judge: Judge<UnfinishedLead> = {
    findEnded: (lead) => findEnded(deps, lead),
    mend: (lead, run) => mend(deps, lead, run),
    log,
  };
  const before = await endOfPatience(pool, patienceMs);
  for (;;) {
    const leads = await unfinishedLeads(pool, { before, limit: PAGE });
    await judgePage(leads, judge, tally);
    await lookLater(
      pool,
      leads.map(({ leadId }) => leadId),
    );
    if (tally['ordered again'] > 0) deps.wakeRelay();
    if (leads.length < PAGE || leftAlone(tally) >= MAX_LEFT_ALONE || signal?.aborted) return tally;
  }
}

async function findEnded({ client }: ReconcilerDependencies, lead: UnfinishedLead): Promise<LatestRun | undefined> {
  if (lead.ordered) return undefined;
  const run = await latestRun(client, onboardingWorkflowId(lead.leadId));
  return hasEnded(run) ? run : undefined;
}

async function mend(deps: ReconcilerDependencies, lead: UnfinishedLead, run: LatestRun): Promise<Verdict> {
  const requestId = `reconciler-${uuidv7()}`;
  const verdict = await mendOnboarding(deps.prisma, { ...lead, run, requestId }, deps.enrichmentDelayMs);
  const { leadId, organizationId, round } = lead;
  const line = { leadId, organizationId, round, run: run.status, requestId };
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
