import { type ReplayResult, Worker, type WorkflowBundleOption } from '@temporalio/worker';
import { globalHandlers } from '@temporalio/worker/lib/workflow/vm-shared.js';
import { inject } from 'vitest';
import { workflowCoverage } from './workflow-coverage.ts';

interface Recorded {
  workflowId: string;
  /** As Temporal answers it, or as JSON. */
  history: unknown;
}

/**
 * Replays a history, as Temporal answers it or as JSON.
 * @throws when the code would decide otherwise
 */
export type Replay = (history: unknown, workflowId: string) => Promise<void>;

/** One worker for all replays against a bundle: to start one costs more than to replay. */
export function replayAgainst(workflowBundle: WorkflowBundleOption): Replay {
  const { readable, writable } = new TransformStream<Recorded, Recorded>();
  const given = writable.getWriter();
  const results = Worker.runReplayHistories({ workflowBundle, sinks: workflowCoverage.sinks }, readable);
  let turn: Promise<unknown> = Promise.resolve();

  async function takeTurn(recorded: Recorded): Promise<void> {
    void given.write(recorded);
    const { value } = (await results.next()) as IteratorResult<ReplayResult, undefined>;
    // The worker looks after the stack of each promise of the process, for good; nobody here asks for it.
    globalHandlers.uninstall();
    if (value?.error) throw value.error;
  }

  return (history, workflowId) => {
    const replayed = turn.then(() => takeTurn({ workflowId, history }));
    turn = replayed.catch(() => undefined);
    return replayed;
  };
}

let today: Replay | undefined;

/** Replays a history against today's workflow code. */
export const replayHistory: Replay = (history, workflowId) =>
  (today ??= replayAgainst({ codePath: inject('workflowBundle') }))(history, workflowId);
