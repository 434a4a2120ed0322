import { fileURLToPath } from 'node:url';
import { NativeConnection, Worker } from '@temporalio/worker';
import { BARE_QUEUES, POLLS } from './contract.ts';

/** A worker for one queue of the bare workflow, with empty activities, as its argument names it. */
const { taskQueue, slots } = BARE_QUEUES[process.argv[2] as keyof typeof BARE_QUEUES];
const nothing = () => Promise.resolve();

const worker = await Worker.create({
  connection: await NativeConnection.connect({ address: process.env['TEMPORAL_ADDRESS'] ?? '' }),
  taskQueue,
  ...(slots === 0
    ? { workflowsPath: fileURLToPath(new URL('workflow.ts', import.meta.url)) }
    : { activities: { notify: nothing, enrich: nothing, score: nothing }, maxConcurrentActivityTaskExecutions: slots }),
});
const ended = worker.run();
console.log(POLLS);
await ended;
