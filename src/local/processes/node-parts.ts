import { join } from 'node:path';
import { TASK_QUEUES } from '../../../workflows/contract.ts';
import { isLoopback } from '../../safe-fetch/loopback.ts';
import type { Part } from './part.ts';
import type { Plan } from '../plan.ts';
import { freePort } from '../ports.ts';

/** Milliseconds that a process may take for its end after the grace period of its work. */
const FORCE_AFTER_GRACE_MS = 12_000;

export interface NodePartsOptions {
  plan: Plan;
  root: string;
  graceMs: number;
  metricsPort: number | undefined;
}

/** The processes of this project: what runs beside each other first, then the API. */
export async function nodeParts({
  plan,
  root,
  graceMs,
  metricsPort,
}: NodePartsOptions): Promise<{ background: Part[]; api: Part }> {
  const node = (name: string, entry: string, args: string[], env: NodeJS.ProcessEnv, readyUrl: string): Part => ({
    name,
    command: process.execPath,
    args: [join(root, 'dist', 'src', entry), ...args],
    env: { ...plan.childEnv, ...env },
    cwd: root,
    ready: { kind: 'http', url: `${readyUrl}/readyz` },
    output: 'pino',
    stopSignal: 'SIGTERM',
    stopWithinMs: graceMs + FORCE_AFTER_GRACE_MS,
  });
  const behind = async (name: string, entry: string, args: string[], env: NodeJS.ProcessEnv = {}) => {
    const healthPort = await freePort();
    // Only the API may be reached from elsewhere.
    const own = { HOST: '127.0.0.1', HEALTH_PORT: String(healthPort), METRICS_PORT: '', ...env };
    return { ...node(name, entry, args, own, `http://127.0.0.1:${healthPort}`), yields: true };
  };
  const taskQueues = Object.values(TASK_QUEUES);
  const metrics = (index: number) => (metricsPort ? { METRICS_PORT: String(metricsPort + index) } : {});
  const workers = taskQueues.map((taskQueue, index) =>
    behind(`worker:${taskQueue}`, 'worker.js', ['--task-queue', taskQueue], metrics(index)),
  );
  const { host, port, url } = plan.api;
  // Only what is ours alone may do without keys: a database from elsewhere has the leads of others.
  const auth = plan.childEnv['API_AUTH'] || (plan.postgres && isLoopback(host) ? 'off' : '');
  const boardEnv = { HOST: '127.0.0.1', BOARD_PORT: String(plan.board.port), OPS_URL: url, METRICS_PORT: '' };
  return {
    background: [
      ...(await Promise.all([...workers, behind('relay', 'relay.js', [], metrics(taskQueues.length))])),
      { ...node('board', 'board.js', [], boardEnv, plan.board.url), yields: true },
    ],
    api: node(
      'api',
      'api.js',
      [],
      { PORT: String(port), API_AUTH: auth, METRICS_PORT: '', ...metrics(taskQueues.length + 1) },
      url,
    ),
  };
}
