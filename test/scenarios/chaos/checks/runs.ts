import { join } from 'node:path';
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import { projectRoot } from '../../../../src/local/project-root.ts';
import { PATIENCE_MS } from '../../../support/patience.ts';
import { patiently } from '../../../support/temporal.ts';
import { onboardingWorkflowId } from '../../../../workflows/contract.ts';

/** Runs read at once. */
const AT_ONCE = 20;

/** What Temporal has of the runs of some leads. */
export interface RunReport {
  /** How many runs ended how. */
  statuses: Record<string, number>;
  /** Leads without one. */
  missing: string[];
  replayed: number;
  /** Runs that today's workflow code would take another way, with the reason. */
  replayFaults: string[];
}

/** Reads the run of each lead and replays its history with the workflow code that the workers run. */
export async function readRuns(client: Client, leadIds: readonly string[]): Promise<RunReport> {
  const report: RunReport = { statuses: {}, missing: [], replayed: 0, replayFaults: [] };
  const workflowBundle = { codePath: join(projectRoot(), 'dist/workflows/bundle.cjs') };
  for await (const { workflowId, error } of Worker.runReplayHistories({ workflowBundle }, histories())) {
    report.replayed += 1;
    if (error) report.replayFaults.push(`${workflowId}: ${error.message}`);
  }
  return report;

  async function* histories() {
    for (let start = 0; start < leadIds.length; start += AT_ONCE) {
      const page = leadIds.slice(start, start + AT_ONCE);
      const runs = await Promise.all(page.map((leadId) => readRun(client, leadId)));
      for (const [index, run] of runs.entries()) {
        if (!run) {
          report.missing.push(...page.slice(index, index + 1));
          continue;
        }
        report.statuses[run.status] = (report.statuses[run.status] ?? 0) + 1;
        yield { workflowId: run.workflowId, history: run.history };
      }
    }
  }
}

/** The score ends an onboarding in Postgres a moment before its run closes. */
async function readRun(client: Client, leadId: string) {
  const workflowId = onboardingWorkflowId(leadId);
  const handle = client.workflow.getHandle(workflowId);
  try {
    await client.connection.withDeadline(Date.now() + PATIENCE_MS, () => handle.result()).catch(() => undefined);
    const { status } = await patiently(() => handle.describe());
    return { workflowId, status: status.name, history: await patiently(() => handle.fetchHistory()) };
  } catch (err) {
    if (err instanceof WorkflowNotFoundError) return undefined;
    throw err;
  }
}
