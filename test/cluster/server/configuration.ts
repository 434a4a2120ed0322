import { freePort, LOOPBACK } from '../../../src/local/ports.ts';
import { POSTGRES_LOGIN } from '../../../src/local/postgres/postgres-files.ts';

/** The services that a Temporal server is made of; a process runs one of them, several, or all. */
export const SERVICES = ['frontend', 'history', 'matching', 'worker'] as const;
export type Service = (typeof SERVICES)[number];

export const STORE = 'temporal';
export const VISIBILITY = 'temporal_visibility';

/** How the server is sized, for `npm run test:cluster` with other sizes than these. */
export const SHARDS = Number(process.env['CLUSTER_SHARDS'] ?? 4);
export const PARTITIONS = Number(process.env['CLUSTER_PARTITIONS'] ?? 1);

/** Of each service. */
const CONNECTIONS = 10;
const CONNECTIONS_OF_VISIBILITY = 3;

/** Of the cluster that tests share; two have as many partitions as their names say. */
export const NAMESPACES = {
  endToEnd: 'default',
  onePartition: 'one-partition',
  fourPartitions: 'four-partitions',
  versions: 'versions',
};

/** Where the services of one cluster listen, all on loopback. */
export interface ClusterPorts {
  grpc: Record<Service, number>;
  membership: Record<Service, number>;
  http: number;
}

export const choosePorts = async (): Promise<ClusterPorts> => ({
  grpc: await portsOfServices(),
  membership: await portsOfServices(),
  http: await freePort(),
});

async function portsOfServices(): Promise<Record<Service, number>> {
  const ports = await Promise.all(SERVICES.map(async (service) => [service, await freePort()] as const));
  return Object.fromEntries(ports) as Record<Service, number>;
}

/**
 * The configuration file of a process of the server, which is the same for each of them but for where its metrics are.
 * It is YAML as JSON is.
 */
export function configurationOf(
  ports: ClusterPorts,
  options: { postgresPort: number; metricsPort: number; dynamicConfigFile: string },
): string {
  const store = (databaseName: string, connections: number) => ({
    sql: {
      pluginName: 'postgres12',
      databaseName,
      connectAddr: `${LOOPBACK}:${options.postgresPort}`,
      connectProtocol: 'tcp',
      ...POSTGRES_LOGIN,
      maxConns: connections,
      maxIdleConns: connections,
      maxConnLifetime: '1h',
    },
  });
  const services = SERVICES.map((service) => {
    const rpc = {
      grpcPort: ports.grpc[service],
      membershipPort: ports.membership[service],
      bindOnIP: LOOPBACK,
      ...(service === 'frontend' ? { httpPort: ports.http } : {}),
    };
    return [service, { rpc }];
  });
  const rpcAddress = `${LOOPBACK}:${ports.grpc.frontend}`;
  return JSON.stringify({
    log: { stdout: true, level: 'warn' },
    persistence: {
      defaultStore: 'store',
      visibilityStore: 'visibility',
      numHistoryShards: SHARDS,
      datastores: { store: store(STORE, CONNECTIONS), visibility: store(VISIBILITY, CONNECTIONS_OF_VISIBILITY) },
    },
    global: {
      membership: { maxJoinDuration: '30s', broadcastAddress: LOOPBACK },
      metrics: { prometheus: { timerType: 'histogram', listenAddress: `${LOOPBACK}:${options.metricsPort}` } },
    },
    services: Object.fromEntries(services) as object,
    clusterMetadata: {
      enableGlobalNamespace: false,
      failoverVersionIncrement: 10,
      masterClusterName: 'active',
      currentClusterName: 'active',
      clusterInformation: {
        active: { enabled: true, initialFailoverVersion: 1, rpcName: 'frontend', rpcAddress },
      },
    },
    dcRedirectionPolicy: { policy: 'noop' },
    dynamicConfigClient: { filepath: options.dynamicConfigFile, pollInterval: '10s' },
  });
}

/** What docs/scaling.md advises to set, and nothing that only tests could want but the last two. */
export function dynamicConfig(): string {
  const always = (value: unknown) => [{ value }];
  const partitions = [
    { value: 1, constraints: { namespace: NAMESPACES.onePartition } },
    { value: 4, constraints: { namespace: NAMESPACES.fourPartitions } },
    { value: PARTITIONS },
  ];
  return JSON.stringify({
    'matching.enableFairness': always(true),
    'matching.numTaskqueueReadPartitions': partitions,
    'matching.numTaskqueueWritePartitions': partitions,
    // By default a version without runs is reported as drained some minutes later.
    'matching.wv.VersionDrainageStatusVisibilityGracePeriod': always('1s'),
    'matching.wv.VersionDrainageStatusRefreshInterval': always('1s'),
  });
}
