import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKey } from '../../src/api-keys/manage.ts';
import { API_SCOPES } from '../../src/api-keys/scopes.ts';
import { EXAMPLE_LEAD } from '../../src/leads/example-lead.ts';
import { freePort } from '../../src/local/ports.ts';
import { makePlan } from '../../src/local/plan.ts';
import { nodeParts } from '../../src/local/processes/node-parts.ts';
import { projectRoot } from '../../src/local/project-root.ts';
import { readEnvironment } from '../../src/process/environment.ts';
import { type BenchServer, connected } from '../postgres.ts';
import { runPart } from '../support/processes.ts';
import { type Engine, startEngine } from './engine.ts';
import type { StartedSide } from './side.ts';

export interface OursOptions {
  server: BenchServer;
  /** A Temporal that stays; without one it has its own, which ends with it. */
  engine?: Engine;
  /** What its database has at the start; without one all migrations and no lead. */
  template?: string;
  /** Worker processes for each task queue; 0 for none, also no relay. */
  copies?: number;
  settings?: NodeJS.ProcessEnv;
  /** Whether its processes serve metrics; by default not. */
  measured?: boolean;
  organizationId?: string;
}

/** What `npm start` runs, the relay and a worker for each queue included, with keys, limits and idempotency on. */
export async function startOurs(options: OursOptions): Promise<StartedSide> {
  const { server, copies = 1, settings = {}, organizationId = EXAMPLE_LEAD.organizationId } = options;
  const engine = options.engine ?? (await startEngine());
  const { url: databaseUrl, drop } = await server.createDatabase(
    options.template === undefined ? {} : { template: options.template },
  );
  const dataDir = await mkdtemp(join(tmpdir(), 'lead-onboarding-ours-'));
  const variables = {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    DATABASE_URL: databaseUrl,
    TEMPORAL_ADDRESS: engine.address,
    RATE_LIMIT: '9999999/60', // counted, and never reached
    DATA_DIR: dataDir,
    PORT: '0',
    ...settings,
  };
  const plan = await makePlan(readEnvironment(variables), variables);
  const metricsPort = options.measured ? await freePort() : undefined;
  const partsOfOne = () => nodeParts({ plan, root: projectRoot(), graceMs: 1_000, metricsPort });
  const first = await partsOfOne();
  const background = copies === 0 ? [] : first.background.filter(({ name }) => name !== 'board');
  for (let copy = 2; copy <= copies; copy += 1) {
    const parts = await partsOfOne();
    const others = parts.background.filter(({ name }) => name.startsWith('worker:'));
    background.push(...others.map((part) => ({ ...part, name: `${part.name} ${copy}` })));
  }
  const processes = await Promise.all([...background, first.api].map(runPart));
  return {
    url: `${plan.api.url}/api/leads`,
    authorization: `Bearer ${await makeKey(databaseUrl, organizationId)}`,
    databaseUrl,
    processes: [...processes, engine.process],
    async end() {
      await Promise.all(processes.map((running) => running.kill()));
      if (options.engine === undefined) await engine.end();
      await drop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

const makeKey = (databaseUrl: string, organizationId: string): Promise<string> =>
  connected(databaseUrl, async ({ prisma }) => {
    const key = { organizationId, name: 'bench', scopes: [...API_SCOPES], expiresAt: null };
    return (await createKey(prisma, key)).token;
  });
