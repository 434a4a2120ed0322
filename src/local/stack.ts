import { join } from 'node:path';
import type { Environment } from '../process/environment.ts';
import { createChildOutput } from './output/child-output.ts';
import { nodeParts } from './processes/node-parts.ts';
import { bringUpDatabase, bringUpTemporal, type Platform } from './platform.ts';
import { makePlan, type Plan } from './plan.ts';
import { assertPortsFree } from './ports.ts';
import { projectRoot } from './project-root.ts';
import { createReport } from './output/report.ts';
import { openRunFile, type RunFile } from './processes/run-file.ts';
import { describeStack } from './output/summary.ts';
import { createSupervisor } from './processes/supervisor.ts';

export interface Stack {
  /** Stops everything in reverse order. */
  stop(): Promise<void>;
  /** Kills whatever still runs. */
  kill(): void;
}

/**
 * Brings up Postgres and Temporal beside each other, then workers, relay and board, at last the API.
 * @param onStarted gets the handle before anything runs, so that a start can be stopped half-way
 * @throws StartError
 */
export async function bringUp(env: Environment, signal: AbortSignal, onStarted: (stack: Stack) => void): Promise<void> {
  const startedAt = performance.now();
  const root = projectRoot();
  const plan = await makePlan(env, process.env);
  const pretty = process.stdout.isTTY;
  const color = pretty && !process.env['NO_COLOR'];
  const output = createChildOutput({ stdout: process.stdout, pretty, color });
  const places = placesOf(plan);
  const report = createReport(process.stderr, color, (name) => places[name] ?? '');

  const taken: { runFile?: RunFile; launched: boolean } = { launched: false };
  const supervisor = createSupervisor({
    onLine: (part, line) => output.write(part, line),
    onEvent: (event) => {
      if (event.kind === 'launched') {
        taken.launched = true;
        taken.runFile?.record(event.part, event.pid);
      }
      report.event(event);
    },
  });
  let stopped: Promise<void> | undefined;
  const stopAll = async () => {
    output.setPhase('stopping');
    if (taken.launched) report.text('\n  Stopping');
    await supervisor.stop();
    if (taken.launched) report.text(`\n  Everything is stopped; the data stays in ${plan.dataDir}`);
    await taken.runFile?.remove();
  };
  onStarted({ stop: () => (stopped ??= stopAll()), kill: () => supervisor.kill() });
  signal.throwIfAborted();

  report.text(`\n  Lead onboarding, data in ${plan.dataDir}\n`);
  const onLeftover = (name: string, pid: number) =>
    report.note(name, `stopping process ${pid}, left by an earlier start`);
  taken.runFile = await openRunFile(join(plan.dataDir, 'run.json'), onLeftover, signal);
  await assertPortsFree(plan.ports);

  // When one of both fails, the other must not go on, with a build of the CLI for instance.
  const failed = new AbortController();
  const platform: Platform = { plan, root, supervisor, report, signal: AbortSignal.any([signal, failed.signal]) };
  await Promise.all([bringUpDatabase(platform), bringUpTemporal(platform)]).catch((error: unknown) => {
    failed.abort();
    throw error;
  });
  const { background, api } = await nodeParts({
    plan,
    root,
    graceMs: env.SHUTDOWN_GRACE_MS,
    metricsPort: env.METRICS_PORT,
  });
  await supervisor.start(background);
  await supervisor.start([api]);
  report.done('all', 'ready', performance.now() - startedAt);
  report.text(describeStack(plan, api.env['API_AUTH'] !== 'off'));
  output.setPhase('running');
}

function placesOf({ postgres, temporal, api, board }: Plan): Record<string, string> {
  return {
    ...(postgres && { postgres: `127.0.0.1:${postgres.port}` }),
    ...(temporal && { temporal: `127.0.0.1:${temporal.port}` }),
    api: api.url,
    board: board.url,
  };
}
