import { copyFile, mkdtemp, rename, rm } from 'node:fs/promises';
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
import { prepareTemporal } from '../../../../src/local/temporal/temporal.ts';
import { TASK_QUEUES } from '../../../../workflows/contract.ts';
import { PATIENCE_MS } from '../../../support/patience.ts';
import { createDeliverySink, type DeliverySink } from './delivery-sink.ts';
import type { FaultProxy } from './fault-proxy.ts';
import { createNodePart, type NodePart } from './node-part.ts';
import { ProcessControl } from './process-control.ts';

const DATABASE = 'lead_onboarding';
const SERVERS = ['postgres', 'temporal'] as const;
export type ServerName = (typeof SERVERS)[number];

export interface WorldOptions {
  /** Path of the Temporal CLI. */
  cli: string;
  enrichmentDelayMs: number;
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
  /** Temporal loses all that it ever knew, at once. */
  loseTemporalStore(): Promise<void>;
  /** Copies what Temporal's disk has now. @returns a power loss: what runs workflows ends, and begins again with the copy */
  copyTemporalStore(): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

export const WORKERS = ['worker:lead-onboarding', 'worker:notification', 'worker:lead'] as const;
export const RELAYS = ['relay-1', 'relay-2'] as const;
export const APIS = ['api-1', 'api-2'] as const;

/** Builds the project, and brings all of it up. */
export async function createWorld({ cli, enrichmentDelayMs }: WorldOptions): Promise<World> {
  const root = projectRoot();

  const folder = await mkdtemp(join(tmpdir(), 'lead-onboarding-chaos-'));
  const [postgresPort, temporalPort] = [await freePort(), await freePort()];
  const temporalStore = join(folder, 'temporal.db');
  const processes = new ProcessControl();
  const settings = { max_connections: '200' };
  await processes.start([
    await preparePostgres({ dataDir: join(folder, 'postgres'), port: postgresPort, settings }),
    await prepareTemporal({ cli, port: temporalPort, dbFilename: temporalStore }),
  ]);
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
  const queues = Object.values(TASK_QUEUES);
  await Promise.all(queues.map((queue) => prepare(`worker:${queue}`, 'worker', ['--task-queue', queue])));
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
  /** The files go while the server has them open, so that it writes to nothing until it is killed. */
  const loseTemporalStore = async (putBack: () => Promise<unknown> = () => Promise.resolve()) => {
    await Promise.all(['', '-wal', '-shm'].map((suffix) => rm(temporalStore + suffix, { force: true })));
    await putBack();
    await processes.killAndAwait('temporal');
  };
  return {
    folder,
    processes,
    sink,
    apis: apis.map(({ url }) => url),
    database,
    temporal: new Client({ connection }),
    enrichmentDelayMs,
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
    loseTemporalStore: () => loseTemporalStore(),
    async copyTemporalStore() {
      const kept = [temporalStore, `${temporalStore}-wal`];
      processes.freeze('temporal');
      await Promise.all(kept.map((file) => copyFile(file, `${file}.copy`)));
      processes.thaw('temporal');
      return async () => {
        await loseTemporalStore(async () => {
          await Promise.all(kept.map((file) => rename(`${file}.copy`, file)));
          processes.kill('worker:lead-onboarding'); // what it remembers of runs is ahead of the copy
        });
      };
    },
    async close() {
      await processes.stop();
      await Promise.all([...parts.values()].flatMap((part) => [part.postgres.close(), part.temporal.close()]));
      await Promise.allSettled([database.end(), connection.close(), sink.close()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
