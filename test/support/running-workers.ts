/** The workers that run in this process, by how they are stopped: the tests of a process share their task queues. */
const running = new Set<() => Promise<void>>();

/**
 * Keeps workers in mind until they are stopped.
 * @returns what stops them
 */
export function rememberWorkers(stop: () => Promise<void>): () => Promise<void> {
  const stopAndForget = async () => {
    running.delete(stopAndForget);
    await stop();
  };
  running.add(stopAndForget);
  return stopAndForget;
}

/**
 * Stops what a file of tests left behind, or it would take the tasks of the files to come, on a database that is gone.
 * @throws Error when there was any
 */
export async function stopForgottenWorkers(): Promise<void> {
  const forgotten = [...running];
  await Promise.all(forgotten.map((stop) => stop()));
  if (forgotten.length > 0) throw new Error(`${forgotten.length} sets of workers were never stopped`);
}
