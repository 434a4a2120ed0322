import { type ReplayResult, Worker } from '@temporalio/worker';
import { globalHandlers } from '@temporalio/worker/lib/workflow/vm-shared.js';
import { inject } from 'vitest';
import { workflowCoverage } from './workflow-coverage.ts';

interface Recorded {
  workflowId: string;
  /** As Temporal answers it, or as JSON. */
  history: unknown;
}

/** One worker for all replays of a process: to start one costs more than to replay. */
function startReplayer() {
  const { readable, writable } = new TransformStream<Recorded, Recorded>();
  const options = { workflowBundle: { codePath: inject('workflowBundle') }, sinks: workflowCoverage.sinks };
  return { given: writable.getWriter(), results: Worker.runReplayHistories(options, readable) };
}

let replayer: ReturnType<typeof startReplayer> | undefined;
let turn: Promise<unknown> = Promise.resolve();

async function takeTurn(recorded: Recorded): Promise<void> {
  const { given, results } = (replayer ??= startReplayer());
  void given.write(recorded);
  const { value } = (await results.next()) as IteratorResult<ReplayResult, undefined>;
  // The worker looks after the stack of each promise of the process, for good; nobody here asks for it.
  globalHandlers.uninstall();
  if (value?.error) throw value.error;
}

/**
 * Replays a history against today's workflow code.
 * @throws when the code would decide otherwise
 */
export function replayHistory(history: unknown, workflowId: string): Promise<void> {
  const replayed = turn.then(() => takeTurn({ workflowId, history }));
  turn = replayed.catch(() => undefined);
  return replayed;
}
