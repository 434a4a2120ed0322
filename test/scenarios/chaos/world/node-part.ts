import { join } from 'node:path';
import type { Part } from '../../../../src/local/processes/part.ts';
import { connectionStringOf } from '../../../../src/local/postgres/postgres.ts';
import { freePort } from '../../../../src/local/ports.ts';
import { projectRoot } from '../../../../src/local/project-root.ts';
import { createFaultProxy, type FaultProxy } from './fault-proxy.ts';

export interface NodePartOptions {
  name: string;
  entry: 'api' | 'relay' | 'worker';
  args: string[];
  postgresPort: number;
  temporalPort: number;
  database: string;
  env: NodeJS.ProcessEnv;
}

/** A process of the project, with a network of its own to each server. */
export interface NodePart {
  entry: NodePartOptions['entry'];
  part: Part;
  url: string;
  postgres: FaultProxy;
  temporal: FaultProxy;
}

/** Describes the process as a deployment runs it: what was built, configured by its environment only. */
export async function createNodePart(options: NodePartOptions): Promise<NodePart> {
  const { name, entry, args, env } = options;
  const [port, postgres, temporal] = await Promise.all([
    freePort(),
    createFaultProxy(options.postgresPort),
    createFaultProxy(options.temporalPort),
  ]);
  const root = projectRoot();
  const url = `http://127.0.0.1:${port}`;
  const part: Part = {
    name,
    command: process.execPath,
    args: [join(root, 'dist/src', `${entry}.js`), ...args],
    cwd: root,
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      DATABASE_URL: connectionStringOf(postgres.port, options.database),
      TEMPORAL_ADDRESS: `127.0.0.1:${temporal.port}`,
      ...(entry === 'api' ? { PORT: String(port), API_AUTH: 'off' } : { HEALTH_PORT: String(port) }),
      ...env,
    },
    ready: { kind: 'http', url: `${url}/readyz` },
    output: 'pino',
    stopSignal: 'SIGTERM',
    stopWithinMs: 30_000,
  };
  return { entry, part, url, postgres, temporal };
}
