import type { World } from './world.ts';

/** Every place that is not Postgres, with what it holds. */
export async function readPlaces({ temporal, processes, metricsUrls }: World, sourcesLog: () => string) {
  const metrics = await Promise.all(metricsUrls.map(readMetrics));
  return {
    'log of the API': processes.api.output(),
    'log of the relay': processes.relay.output(),
    'log of the workflow and notify worker': processes.worker.output(),
    'log of the lead workers': processes.leadWorker.output() + sourcesLog(),
    'log of Temporal': temporal.log(),
    metrics: metrics.join('\n'),
    histories: await temporal.histories(),
    'search attributes, memos and descriptions': await temporal.visibility(),
    'database file of Temporal': await temporal.files(),
  };
}

/** Of a process that has ended there is nothing to read. */
const readMetrics = (url: string) =>
  fetch(url).then(
    (answer) => answer.text(),
    () => '',
  );
