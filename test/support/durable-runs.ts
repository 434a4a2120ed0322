import type { WorkflowHandle } from '@temporalio/client';
import { test as base } from './api.ts';
import { recordLog } from './log.ts';
import { createTestClient, replay } from './temporal.ts';
import { type ActivityOverrides, startWorkers } from './workers.ts';

const client = createTestClient();

/**
 * Tests of a workflow that has one run for each thing it works on.
 * @param workflowIdOf the id of that thing → the id of its workflow
 */
export const testOfRuns = (workflowIdOf: (id: string) => string) =>
  base.extend<{
    /** Runs workers until the test ends. */
    work: (activities?: ActivityOverrides) => Promise<void>;
    /** A run, which is replayed when the test ends. */
    runs: (id: string) => WorkflowHandle;
  }>({
    work: async ({ database }, use) => {
      const workers: Awaited<ReturnType<typeof startWorkers>>[] = [];
      await use(async (activities) => {
        workers.push(await startWorkers(database, recordLog().log, activities));
      });
      await Promise.all(workers.map((worker) => worker.stop()));
    },
    runs: async ({}, use) => {
      const handles = new Map<string, WorkflowHandle>();
      await use((id) => {
        const handle = client.workflow.getHandle(workflowIdOf(id));
        handles.set(id, handle);
        return handle;
      });
      for (const handle of handles.values()) await replay(handle);
    },
  });
