import { Client, Connection } from '@temporalio/client';
import pLimit from 'p-limit';
import { LEAD_ONBOARDING } from '../../workflows/contract.ts';
import type { BenchServer } from '../postgres.ts';
import type { Engine } from '../sides/engine.ts';
import type { StartedSide } from '../sides/side.ts';
import { postLead } from './load.ts';
import type { Running } from './processes.ts';
import { untilCount } from './until.ts';
import { cpuBetween, usageOf } from './usage.ts';

/** Leads that are handed in at once. */
const AT_ONCE = 20;

/** One way to onboard leads, and the processes that do it. */
export interface Onboarder {
  /** Whose runs are counted. */
  workflowType: string;
  handIn(client: Client): Promise<unknown>;
  processes: readonly Running[];
}

/** Our way: leads are handed in at the API, and Postgres counts among the processes. */
export const oursOnboarding = (ours: StartedSide, { process }: BenchServer): Onboarder => ({
  workflowType: LEAD_ONBOARDING,
  handIn: () => postLead(ours),
  processes: [...ours.processes, process],
});

/** What it took to onboard some leads, from the first that was handed in to the last that was done. */
export interface Onboarded {
  seconds: number;
  perSecond: number;
  /** Milliseconds of CPU for each lead, by the name of the process; `all` for the sum. */
  cpu: Record<string, number>;
}

/** Hands in leads, 20 at once, and waits until Temporal knows all their runs as completed. */
export async function onboard(
  { address }: Pick<Engine, 'address'>,
  onboarder: Onboarder,
  leads: number,
): Promise<Onboarded> {
  const { workflowType, processes } = onboarder;
  const connection = await Connection.connect({ address });
  try {
    const client = new Client({ connection });
    const query = `WorkflowType = '${workflowType}' AND ExecutionStatus = 'Completed'`;
    const completed = async () => (await client.workflow.count(query)).count;
    const already = await completed();
    const before = await usageOf(processes);
    const startedAt = performance.now();
    const atOnce = pLimit(AT_ONCE);
    await Promise.all(Array.from({ length: leads }, () => atOnce(() => onboarder.handIn(client))));
    await untilCount(`completed runs of ${workflowType}`, already + leads, completed);
    const seconds = (performance.now() - startedAt) / 1_000;
    const after = await usageOf(processes);
    const cpu = Object.fromEntries(
      [...after.keys()].map((name) => [name, cpuBetween(before, after, (other) => other === name) / leads]),
    );
    return { seconds, perSecond: leads / seconds, cpu: { ...cpu, all: cpuBetween(before, after) / leads } };
  } finally {
    await connection.close();
  }
}
