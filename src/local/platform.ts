import { checkDatabase, ensureDatabase } from './postgres/database.ts';
import { migrate } from './postgres/migrations.ts';
import type { Plan } from './plan.ts';
import { connectionStringOf, preparePostgres } from './postgres/postgres.ts';
import type { Report } from './output/report.ts';
import type { Supervisor } from './processes/supervisor.ts';
import { resolveTemporalCli } from './temporal/temporal-cli.ts';
import { prepareTemporal } from './temporal/temporal.ts';

/** What bringing up one part of the platform needs. */
export interface Platform {
  plan: Plan;
  root: string;
  supervisor: Supervisor;
  report: Report;
  signal: AbortSignal;
}

/** Postgres and its schema. */
export async function bringUpDatabase({ plan, root, supervisor, report, signal }: Platform): Promise<void> {
  if (plan.postgres) {
    const { dataDir, port, database } = plan.postgres;
    const onFirstStart = () => report.note('postgres', 'first start: making its data folder');
    await supervisor.start([await preparePostgres({ dataDir, port, onFirstStart, signal })]);
    await ensureDatabase(connectionStringOf(port), database);
  } else {
    const startedAt = performance.now();
    const version = await checkDatabase(plan.databaseUrl);
    report.done('postgres', `${version} of DATABASE_URL`, performance.now() - startedAt);
  }
  const startedAt = performance.now();
  const applied = await migrate({ connectionString: plan.databaseUrl, root, signal });
  report.done('migrations', applied === 0 ? 'up to date' : `${applied} applied`, performance.now() - startedAt);
}

/** Temporal with its Web UI. */
export async function bringUpTemporal({ plan, supervisor, report, signal }: Platform): Promise<void> {
  if (plan.temporal) {
    const { namespace, ...place } = plan.temporal;
    const onProgress = (line: string) => report.note('temporal', line);
    const { path: cli } = await resolveTemporalCli({ onProgress, signal });
    const temporal = await prepareTemporal({ cli, ...place, namespaces: [namespace] });
    await supervisor.start([{ ...temporal, yields: true }]);
    return;
  }
  const startedAt = performance.now();
  // The client takes time to load, and only this case needs it.
  const { checkTemporal } = await import('./temporal/remote-temporal.ts');
  report.done('temporal', await checkTemporal(), performance.now() - startedAt);
}
