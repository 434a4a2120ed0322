import { join, resolve } from 'node:path';
import type { Environment } from '../process/environment.ts';
import { freePort, LOOPBACK, type PortChoice } from './ports.ts';
import { urlOf } from '../process/url-of.ts';
import { connectionStringOf } from './postgres/postgres.ts';

/** What a start of the local stack consists of, and where each part is reached. */
export interface Plan {
  dataDir: string;
  /** The embedded server; nothing when `DATABASE_URL` leads to another one. */
  postgres: { dataDir: string; port: number; database: string } | undefined;
  databaseUrl: string;
  /** The dev server; nothing when `TEMPORAL_ADDRESS` or a profile leads to another one. */
  temporal: { dbFilename: string; port: number; uiPort: number; namespace: string } | undefined;
  webUiUrl: string;
  api: { host: string; port: number; url: string };
  /** For operators, on this machine only. */
  board: { port: number; url: string };
  /** The ports that have to be free. */
  ports: PortChoice[];
  /** The environment of worker, relay and API. */
  childEnv: NodeJS.ProcessEnv;
}

const DATABASE = 'lead_onboarding';
const DEFAULT_WEB_UI = 'http://127.0.0.1:8233';

/** Decides it from the settings. Port 0 stands for any free one. */
export async function makePlan(env: Environment, variables: NodeJS.ProcessEnv): Promise<Plan> {
  const dataDir = resolve(env.DATA_DIR);
  const [port, boardPort, postgresPort, temporalPort, uiPort] = await Promise.all([
    choosePort(env.PORT),
    choosePort(env.BOARD_PORT),
    choosePort(env.POSTGRES_PORT),
    choosePort(env.TEMPORAL_PORT),
    choosePort(env.TEMPORAL_UI_PORT),
  ]);
  const api = { host: env.HOST, port, url: urlOf(env.HOST, port) };
  const board = { port: boardPort, url: urlOf(LOOPBACK, boardPort) };
  const ports: PortChoice[] = [
    { variable: 'PORT', host: api.host, port },
    { variable: 'BOARD_PORT', host: LOOPBACK, port: boardPort },
  ];

  const postgres = env.DATABASE_URL
    ? undefined
    : { dataDir: join(dataDir, 'postgres'), port: postgresPort, database: DATABASE };
  if (postgres) ports.push({ variable: 'POSTGRES_PORT', host: LOOPBACK, port: postgresPort });
  const databaseUrl = env.DATABASE_URL ?? connectionStringOf(postgresPort, DATABASE);

  const remote = Boolean(env.TEMPORAL_ADDRESS || variables['TEMPORAL_PROFILE']);
  const dbFilename = join(dataDir, 'temporal.db');
  const temporal = remote ? undefined : { dbFilename, port: temporalPort, uiPort, namespace: env.TEMPORAL_NAMESPACE };
  if (temporal) {
    ports.push({ variable: 'TEMPORAL_PORT', host: LOOPBACK, port: temporalPort });
    ports.push({ variable: 'TEMPORAL_UI_PORT', host: LOOPBACK, port: uiPort });
  }
  const ownUi = temporal && env.TEMPORAL_UI_URL === DEFAULT_WEB_UI;
  const webUiUrl = ownUi ? `http://${LOOPBACK}:${uiPort}` : env.TEMPORAL_UI_URL;

  const childEnv: NodeJS.ProcessEnv = {
    ...(temporal ? withoutTemporal(variables) : variables),
    ...(temporal && { TEMPORAL_ADDRESS: `${LOOPBACK}:${temporalPort}`, TEMPORAL_NAMESPACE: temporal.namespace }),
    // It does not exist: a profile for Temporal Cloud in the user's own file must not reach the dev server.
    ...(temporal && { TEMPORAL_CONFIG_FILE: join(dataDir, 'no-temporal.toml') }),
    // gRPC would ask the proxy of the user's shell to lead to this machine.
    ...(temporal && { no_grpc_proxy: LOOPBACK }),
    // Node 22 and newer load modules quicker with it; older ones ignore it.
    NODE_COMPILE_CACHE: variables['NODE_COMPILE_CACHE'] ?? join(dataDir, 'compile-cache'),
    DATABASE_URL: databaseUrl,
    TEMPORAL_UI_URL: webUiUrl,
  };
  return { dataDir, postgres, databaseUrl, temporal, webUiUrl, api, board, ports, childEnv };
}

const choosePort = async (wanted: number) => wanted || freePort();

function withoutTemporal(variables: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(variables).filter(([name]) => !name.startsWith('TEMPORAL_')));
}
