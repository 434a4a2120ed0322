import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, LOOPBACK } from '../../../src/local/ports.ts';
import type { Part } from '../../../src/local/processes/part.ts';
import { choosePorts, configurationOf, dynamicConfig, type Service, SERVICES } from './configuration.ts';
import { makeSchemas } from './schema.ts';
import { serverTools } from './tools.ts';

/** Which process runs which services, by the names of the processes. */
export type Layout = Record<string, readonly Service[]>;

export const ONE_PROCESS: Layout = { temporal: SERVICES };
export const SEPARATE: Layout = {
  'temporal:frontend': ['frontend'],
  'temporal:history': ['history'],
  'temporal:matching': ['matching'],
  'temporal:worker': ['worker'],
};

export interface ClusterOptions {
  /** Gets the configuration files. */
  folder: string;
  /** Of a server that runs, and gets the two databases. */
  postgresPort: number;
  layout: Layout;
}

/** Makes the databases of a Temporal server, and describes its processes. @returns them, and where clients connect */
export async function prepareCluster({ folder, postgresPort, layout }: ClusterOptions) {
  const { server, sql } = await serverTools();
  await makeSchemas(sql, postgresPort);
  const ports = await choosePorts();
  await mkdir(folder, { recursive: true });
  const dynamicConfigFile = join(folder, 'dynamic-config.yaml');
  await writeFile(dynamicConfigFile, dynamicConfig());

  const prepare = async ([name, services]: [string, readonly Service[]]): Promise<Part> => {
    const metricsPort = await freePort();
    const file = join(folder, `${name.replace(':', '-')}.yaml`);
    await writeFile(file, configurationOf(ports, { postgresPort, metricsPort, dynamicConfigFile }));
    const url = services.includes('frontend')
      ? `http://${LOOPBACK}:${ports.http}/api/v1/cluster-info`
      : `http://${LOOPBACK}:${metricsPort}/metrics`;
    return {
      name,
      command: server,
      args: ['--config-file', file, '--allow-no-auth', 'start', ...services.flatMap((it) => ['--service', it])],
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'] },
      ready: { kind: 'http', url },
      output: 'temporal',
      stopSignal: 'SIGTERM',
      stopWithinMs: 30_000,
    };
  };
  return {
    parts: await Promise.all(Object.entries(layout).map(prepare)),
    port: ports.grpc.frontend,
    address: `${LOOPBACK}:${ports.grpc.frontend}`,
  };
}
