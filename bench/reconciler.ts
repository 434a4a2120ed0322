import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import pLimit from 'p-limit';
import { freePort } from '../src/local/ports.ts';
import { projectRoot } from '../src/local/project-root.ts';
import { startTemporal } from '../src/local/temporal/temporal.ts';
import { resolveTemporalCli } from '../src/local/temporal/temporal-cli.ts';
import { onboardingWorkflowId } from '../workflows/contract.ts';
import { type BenchDatabase, withPostgres } from './postgres.ts';

/** How fast two relays order lost runs again, and how soon one finds a lost run among many that are only slow. */
const LOST = Number(process.argv[2] ?? 1_000_000);
const SLOW = Number(process.argv[3] ?? 100_000);
const CHUNK = 10_000;

/** Leads that were taken in half an hour ago, and whose orders have been carried out. @returns their ids */
async function insertLeads({ pool }: BenchDatabase, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let from = 0; from < count; from += CHUNK) {
    const { rows } = await pool.query<{ id: string }>(
      `WITH taken AS (
         INSERT INTO lead (id, organization_id, name, created_at)
         SELECT gen_random_uuid(), 'org-123', 'Ana', now() - interval '30 minutes' FROM generate_series(1, $1) RETURNING id),
       onboardings AS (INSERT INTO onboarding (lead_id, organization_id) SELECT id, 'org-123' FROM taken),
       watches AS (INSERT INTO watch (lead_id, run, organization_id, since, look_after)
         SELECT id, 'onboarding', 'org-123', now() - interval '30 minutes', now() - interval '1 minute' FROM taken)
       SELECT id FROM taken`,
      [Math.min(CHUNK, count - from)],
    );
    ids.push(...rows.map(({ id }) => id));
  }
  await pool.query('ANALYZE');
  return ids;
}

/** Runs so many relay processes until `done` says so. @returns the seconds that it took */
async function withRelays(count: number, env: NodeJS.ProcessEnv, done: () => Promise<boolean>): Promise<number> {
  const relays = Array.from({ length: count }, () =>
    spawn(process.execPath, ['dist/src/relay.js'], {
      cwd: projectRoot(),
      env: { ...process.env, ...env },
      stdio: 'ignore',
    }),
  );
  const startedAt = performance.now();
  while (!(await done())) await sleep(250);
  const seconds = (performance.now() - startedAt) / 1_000;
  for (const relay of relays) relay.kill('SIGKILL');
  return seconds;
}

const countOf = async ({ pool }: BenchDatabase, text: string, values: unknown[] = []): Promise<number> => {
  const { rows } = await pool.query<{ count: string }>(text, values);
  return Number(rows[0]?.count);
};

const cli = await resolveTemporalCli({ onProgress: (line) => console.error(line) });
const port = await freePort();
const folder = await mkdtemp(join(tmpdir(), 'lead-onboarding-bench-'));
const temporal = await startTemporal({ cli: cli.path, port, dbFilename: join(folder, 'temporal.db') });
const connection = await Connection.connect({ address: temporal.address });
const client = new Client({ connection });
try {
  await withPostgres(async (database) => {
    const env = {
      DATABASE_URL: database.url,
      TEMPORAL_ADDRESS: temporal.address,
      RECONCILE_INTERVAL_MS: '1000',
      LOG_LEVEL: 'error',
    };
    await insertLeads(database, LOST);
    const waiting = `SELECT count(*) FROM watch WHERE look_after < now()`;
    const ordered = await withRelays(2, env, async () => (await countOf(database, waiting)) === 0);
    const left = await countOf(database, `SELECT count(*) FROM outbox`);
    console.log(`${LOST} lost runs ordered again by 2 relays within ${ordered.toFixed(0)} s`);
    console.log(`(the same relays had ${LOST - left} of them started by then)`);
    await database.pool.query('TRUNCATE lead, watch, outbox CASCADE');

    const slow = await insertLeads(database, SLOW);
    const atOnce = pLimit(50);
    const start = (id: string) =>
      client.workflow.start('unknown', { workflowId: onboardingWorkflowId(id), taskQueue: 'nobody' });
    await Promise.all(slow.map((id) => atOnce(() => start(id))));
    const [lost = ''] = await insertLeads(database, 1);
    await database.pool.query(`UPDATE watch SET look_after = now() - interval '31 seconds' WHERE lead_id = $1`, [lost]);
    const isRunning = () =>
      client.workflow
        .getHandle(onboardingWorkflowId(lost))
        .describe()
        .then(
          () => true,
          () => false,
        );
    const found = await withRelays(1, env, isRunning);
    console.log(
      `one lost run among ${SLOW} slow ones started again after ${found.toFixed(1)} s, with the start of the relay`,
    );
  });
} finally {
  await connection.close();
  await temporal.stop();
  await rm(folder, { recursive: true, force: true });
}
