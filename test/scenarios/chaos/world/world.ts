import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import { ensureDatabase } from '../../../../src/local/postgres/database.ts';
import { migrate } from '../../../../src/local/postgres/migrations.ts';
import { connectionStringOf, preparePostgres } from '../../../../src/local/postgres/postgres.ts';
import { freePort } from '../../../../src/local/ports.ts';
import { projectRoot } from '../../../../src/local/project-root.ts';
import { waitUntilReady } from '../../../../src/local/processes/readiness.ts';
import { TASK_QUEUES } from '../../../../workflows/contract.ts';
import { PATIENCE_MS } from '../../../support/patience.ts';
import { createDeliverySink, type DeliverySink } from './delivery-sink.ts';
import type { FaultProxy } from './fault-proxy.ts';
import { createNodePart, type NodePart } from './node-part.ts';
import { ProcessControl } from './process-control.ts';

const DATABASE = 'lead_onboarding';
const SERVERS = ['postgres', 'temporal'] as const;
export type ServerName = (typeof SERVERS)[number];

/** Starts a Temporal server among the processes of a world. @returns the port that clients connect to */
export type StartTemporal = (world: Pick<World, 'folder' | 'processes'>) => Promise<number>;

export interface WorldOptions {
  startTemporal: StartTemporal;
  enrichmentDelayMs: number;
  /** Worker processes for each task queue. */
  workersOfQueue?: number;
  /** More settings of our Postgres. */
  postgresSettings?: Record<string, string>;
}

/** A whole deployment of real processes, with two of each that takes work in, every connection of which can be broken. */
export interface World {
  /** Goes with the world. */
  readonly folder: string;
  readonly processes: ProcessControl;
  readonly sink: DeliverySink;
  /** Base URLs of the API processes. */
  readonly apis: readonly string[];
  /** Past every proxy, for looking at the outcome. */
  readonly database: pg.Pool;
  readonly temporal: Client;
  readonly enrichmentDelayMs: number;
  /** The names of the project's own processes. */
  partNames(): string[];
  /** The network between a part and a server that it uses. */
  network(part: string, to: ServerName): FaultProxy;
  /** The network between every part and a server. */
  networks(to: ServerName): FaultProxy[];
  /** Takes away the traps that have not sprung. */
  disarm(): void;
  /** Resolves once every process says that it is ready. */
  untilReady(): Promise<void>;
  /** One more process of a kind. */
  add(name: string, entry: NodePart['entry'], args?: string[]): Promise<void>;
  close(): Promise<void>;
}

export const WORKERS = ['worker:lead-onboarding', 'worker:notification', 'worker:lead', 'worker:webhook'] as const;
export const RELAYS = ['relay-1', 'relay-2'] as const;
export const APIS = ['api-1', 'api-2'] as const;

/** Builds the project, and brings all of it up. */
export async function createWorld(options: WorldOptions): Promise<World> {
  const { startTemporal, enrichmentDelayMs, workersOfQueue = 1, postgresSettings = {} } = options;
  const root = projectRoot();

  const folder = await mkdtemp(join(tmpdir(), 'lead-onboarding-chaos-'));
  const postgresPort = await freePort();
  const processes = new ProcessControl();
  const settings = { max_connections: '200', ...postgresSettings };
  const postgres = await preparePostgres({ dataDir: join(folder, 'postgres'), port: postgresPort, settings });
  const [temporalPort] = await Promise.all([startTemporal({ folder, processes }), processes.start([postgres])]);
  await ensureDatabase(connectionStringOf(postgresPort), DATABASE);
  const databaseUrl = connectionStringOf(postgresPort, DATABASE);
  await migrate({ connectionString: databaseUrl, root });

  const sink = await createDeliverySink();
  const parts = new Map<string, NodePart>();
  const shared: NodeJS.ProcessEnv = {
    ENRICHMENT_DELAY_MS: String(enrichmentDelayMs),
    NOTIFICATION_WEBHOOK_URL: sink.url,
    NOTIFICATION_WEBHOOK_SECRET: sink.secret,
  };
  const prepare = async (name: string, entry: NodePart['entry'], args: string[] = []) => {
    const part = await createNodePart({
      name,
      entry,
      args,
      postgresPort,
      temporalPort,
      database: DATABASE,
      env: shared,
    });
    parts.set(name, part);
    return part;
  };
  for (let copy = 1; copy <= workersOfQueue; copy += 1) {
    for (const queue of Object.values(TASK_QUEUES)) {
      await prepare(`worker:${queue}${copy === 1 ? '' : `-${copy}`}`, 'worker', ['--task-queue', queue]);
    }
  }
  await Promise.all(RELAYS.map((name) => prepare(name, 'relay')));
  const apis = await Promise.all(APIS.map((name) => prepare(name, 'api')));
  await processes.start([...parts.values()].map(({ part }) => part));

  const database = new pg.Pool({ connectionString: databaseUrl, max: 4 });
  database.on('error', () => undefined); // it is crashed on purpose
  const connection = Connection.lazy({
    address: `127.0.0.1:${temporalPort}`,
    channelArgs: { 'grpc.max_reconnect_backoff_ms': 500 },
  });
  const network: World['network'] = (name, to) => {
    const part = parts.get(name);
    if (!part) throw new Error(`There is no part ${name}`);
    return part[to];
  };
  return {
    folder,
    processes,
    sink,
    apis: apis.map(({ url }) => url),
    database,
    temporal: new Client({ connection }),
    enrichmentDelayMs,
    partNames: () => [...parts.keys()],
    network,
    networks: (to) => [...parts.values()].map((part) => part[to]),
    disarm() {
      for (const part of parts.values()) for (const to of SERVERS) part[to].disarm();
    },
    async untilReady() {
      const signal = AbortSignal.timeout(PATIENCE_MS);
      await Promise.all([...parts.values()].map(({ part }) => waitUntilReady(part.ready, signal)));
    },
    async add(name, entry, args) {
      const { part } = await prepare(name, entry, args);
      await processes.start([part]);
    },
    async close() {
      await processes.stop();
      await Promise.all([...parts.values()].flatMap((part) => [part.postgres.close(), part.temporal.close()]));
      await Promise.allSettled([database.end(), connection.close(), sink.close()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
