import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { runOnce } from '../../src/local/processes/run-once.ts';
import { setUp } from '../support/global-setup.ts';
import { ONE_PROCESS, prepareCluster } from './server/cluster.ts';
import { NAMESPACES } from './server/configuration.ts';
import { register } from './server/register.ts';

/** Starts what the tests of this tier share: as for the others, but with a Temporal server on PostgreSQL. */
export default (project: TestProject): Promise<() => Promise<void>> =>
  setUp(project, async ({ folder, postgresPort, cli }) => {
    const { parts, address } = await prepareCluster({
      folder: join(folder, 'temporal'),
      postgresPort,
      layout: ONE_PROCESS,
    });
    const [server] = await Promise.all(parts.map(runOnce));
    for (const namespace of Object.values(NAMESPACES)) await register(cli, address, namespace);
    return { address, stop: async () => server?.stop() };
  });
