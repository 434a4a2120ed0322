import { NativeConnection, type NativeConnectionOptions, type Worker } from '@temporalio/worker';
import pTimeout from 'p-timeout';
import type { TaskQueue } from '../../workflows/contract.ts';
import { PULSE_DEADLINE_MS, takePulse } from './pulse.ts';
import { isWorkflowQueue, taskQueueTypeOf } from './task-queue-type.ts';
import { watchVersion } from './version-watch.ts';
import { createWorker, isPolling, type WorkerDependencies, type Workload } from './worker.ts';

export interface SessionOptions extends Omit<WorkerDependencies, 'connection'> {
  connectionOptions: NativeConnectionOptions;
  workloads: ReadonlyMap<TaskQueue, Workload>;
}

/** One connection to Temporal, and a running worker on it for each task queue. */
export interface Session {
  /** Undefined while every queue is asked for work, Temporal answers and gives our version some; else why not. */
  readonly problem: string | undefined;
  /** Resolves with the reason when another session is to take its place: its connection is dead, or a worker has failed. */
  lost: Promise<string>;
  /** Takes no more work; resolves when the work in hand has ended. */
  drain(): Promise<void>;
}

/** @throws what Temporal says when it is out of reach or has no such namespace */
export async function openSession(options: SessionOptions): Promise<Session> {
  const connection = await connect(options.connectionOptions);
  const taskQueues = [...options.workloads.keys()];
  const askOver = (asked: NativeConnection) =>
    Promise.all(taskQueues.map((name) => describeQueue(asked, options.namespace, name)));
  let making: Promise<Worker>[] = [];
  let workers: Worker[];
  try {
    await pTimeout(askOver(connection), { milliseconds: PULSE_DEADLINE_MS });
    making = Array.from(options.workloads, ([name, workload]) =>
      createWorker({ ...options, connection }, name, workload),
    );
    workers = await Promise.all(making);
  } catch (err) {
    void giveBack(connection, making); // not waited for: where nobody answers it takes half a minute
    throw err;
  }

  const runs = workers.map((worker) => worker.run());
  const failed = Promise.all(runs).then(
    () => 'the workers have stopped',
    (err: unknown) => `a worker has failed: ${err instanceof Error ? err.message : String(err)}`,
  );
  let lose: (reason: string) => void = () => undefined;
  const dead = new Promise<string>((resolve) => (lose = resolve));
  const workflowQueue = taskQueues.findIndex(isWorkflowQueue);
  const version =
    options.buildId === undefined || workflowQueue < 0
      ? undefined
      : watchVersion(connection, options.namespace, options.buildId);
  const pulse = takePulse({
    ask: async () => {
      const described = (await askOver(connection))[workflowQueue];
      if (described) void version?.look(described);
    },
    askAnew: async () => {
      const another = await connect(options.connectionOptions);
      try {
        await askOver(another);
      } finally {
        await another.close().catch(() => undefined);
      }
    },
    onLost: (reason) => lose(reason),
  });
  return {
    get problem() {
      if (!pulse.beats) return 'Temporal does not answer';
      return workers.every(isPolling) ? version?.problem : 'a task queue is not polled';
    },
    lost: Promise.race([dead, failed]),
    async drain() {
      pulse.stop();
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
      await Promise.allSettled(runs);
      await connection.close();
    },
  };
}

/** A connection cannot be closed while a worker holds it, and only one that has run lets it go. */
async function giveBack(connection: NativeConnection, making: Promise<Worker>[]): Promise<void> {
  const runs = making.map(async (made) => {
    const worker = await made;
    const run = worker.run();
    worker.shutdown();
    await run;
  });
  await Promise.allSettled(runs);
  await connection.close().catch(() => undefined);
}

/** `NativeConnection.connect` waits for an answer for 30 s. */
async function connect(options: NativeConnectionOptions): Promise<NativeConnection> {
  const connecting = NativeConnection.connect(options);
  try {
    return await pTimeout(connecting, { milliseconds: PULSE_DEADLINE_MS });
  } catch (err) {
    void connecting.then(
      (late) => late.close(),
      () => undefined,
    );
    throw err;
  }
}

/** Temporal's matching service answers this: the one that gives a queue's tasks out. */
function describeQueue(connection: NativeConnection, namespace: string, name: TaskQueue) {
  const taskQueueType = taskQueueTypeOf(name);
  return connection.withDeadline(Date.now() + PULSE_DEADLINE_MS, () =>
    connection.workflowService.describeTaskQueue({ namespace, taskQueue: { name }, taskQueueType }),
  );
}
