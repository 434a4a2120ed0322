import { join } from 'node:path';
import { inject } from 'vitest';
import { LOOPBACK } from '../../src/local/ports.ts';
import { preparePostgres } from '../../src/local/postgres/postgres.ts';
import type { StartTemporal } from '../scenarios/chaos/world/world.ts';
import { prepareCluster, SEPARATE } from './server/cluster.ts';
import { register } from './server/register.ts';

/** What statements of a Postgres are counted by. */
export const COUNTS_STATEMENTS = { shared_preload_libraries: 'pg_stat_statements' };

export const TEMPORAL_POSTGRES = 'temporal-postgres';

/** A Temporal server whose services are processes of their own, with a Postgres of its own at this port. */
export const separateServices =
  (postgresPort: number): StartTemporal =>
  async ({ folder, processes }) => {
    const postgres = await preparePostgres({
      dataDir: join(folder, TEMPORAL_POSTGRES),
      port: postgresPort,
      settings: COUNTS_STATEMENTS,
    });
    await processes.start([{ ...postgres, name: TEMPORAL_POSTGRES }]);
    const { parts, port } = await prepareCluster({ folder: join(folder, 'temporal'), postgresPort, layout: SEPARATE });
    // Whichever comes first writes down what the cluster is; of two at once one dies of it. The frontend answers after that.
    for (const part of parts) await processes.start([part]);
    await register(inject('temporalCli'), `${LOOPBACK}:${port}`, 'default');
    return port;
  };
