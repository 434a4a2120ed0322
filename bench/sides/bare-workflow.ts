import { join } from 'node:path';
import { projectRoot } from '../../src/local/project-root.ts';
import { BARE_QUEUES, POLLS } from '../bare/contract.ts';
import { runProgram, says } from '../support/processes.ts';
import type { Engine } from './engine.ts';

/** The workers of the bare workflow: a process for each queue, as ours have it, and of the same names. */
export async function startBareWorkers(engine: Engine) {
  const worker = (queue: string) =>
    runProgram(
      {
        name: `worker:${queue}`,
        command: process.execPath,
        args: ['--import', 'tsx', join(import.meta.dirname, '../bare/worker.ts'), queue],
        env: { ...process.env, TEMPORAL_ADDRESS: engine.address },
        cwd: projectRoot(),
      },
      says(POLLS),
    );
  const processes = await Promise.all(Object.keys(BARE_QUEUES).map(worker));
  return {
    processes: [...processes, engine.process],
    end: () => Promise.all(processes.map((running) => running.kill())),
  };
}
