import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { usageOf } from '../../bench/support/usage.ts';
import { connectionStringOf } from '../../src/local/postgres/postgres.ts';
import { onboardingWorkflowId } from '../../workflows/contract.ts';
import { verify } from '../scenarios/chaos/checks/verify.ts';
import { LeadLoad, percentile } from '../scenarios/chaos/load/lead-load.ts';
import type { Scenario } from '../scenarios/chaos/scenario.ts';
import type { World } from '../scenarios/chaos/world/world.ts';
import { within } from '../support/patience.ts';
import { PARTITIONS, SHARDS } from './server/configuration.ts';

const LEADS = Number(process.env['CLUSTER_LEADS'] ?? 200);
const PER_SECOND = Number(process.env['CLUSTER_RATE'] ?? 4);
const WARM_UP_LEADS = 40;
const IDLE_MS = 20_000;
/** Runs that are looked at. */
const RUNS = 20;

/** What is counted, by its name; sums since the start of each process and server. */
type Counts = Map<string, number>;

/** Leads at a steady rate, while what each of them costs is counted. @param temporalPostgres the port of Temporal's own */
export const costs = (temporalPostgres: number): Scenario => ({
  title: 'leads come steadily, while what each costs is counted',
  inShort: true,
  async run({ world }) {
    const stores = {
      postgres: world.database,
      'temporal-postgres': new pg.Pool({ connectionString: connectionStringOf(temporalPostgres), max: 1 }),
    };
    for (const store of Object.values(stores)) await store.query('CREATE EXTENSION pg_stat_statements');
    const look = () => count(world, stores);
    const warmUp = new LeadLoad(world);
    await warmUp.post({ count: WARM_UP_LEADS, perSecond: PER_SECOND });
    await untilNothingIsWatched(world);

    const idle = await between(look, () => sleep(IDLE_MS));
    const load = new LeadLoad(world);
    const busy = await between(look, async () => {
      await load.post({ count: LEADS, perSecond: PER_SECOND });
      await untilNothingIsWatched(world);
    });
    await stores['temporal-postgres'].end();

    const perLead = (name: string) =>
      ((busy.counts.get(name) ?? 0) - ((idle.counts.get(name) ?? 0) * busy.seconds) / idle.seconds) / LEADS;
    const rows = [...busy.counts.keys()].map((name) => {
      const idlePerSecond = (idle.counts.get(name) ?? 0) / idle.seconds;
      return `| ${name} | ${perLead(name).toFixed(1)} | ${idlePerSecond.toFixed(1)} |`;
    });
    const runs = await readRuns(
      world,
      load.truth.read().map(({ id }) => id),
    );
    console.log(
      [
        `${LEADS} leads at ${PER_SECOND} a second; ${SHARDS} shards, partitions: ${PARTITIONS}`,
        '',
        '| | for each lead | each second, idle |',
        '| --- | --: | --: |',
        ...rows,
        ...Object.entries(runs).map(([name, value]) => `| ${name} | ${value} | |`),
      ].join('\n'),
    );
    return verify(world, load);
  },
});

async function between(look: () => Promise<Counts>, act: () => Promise<unknown>) {
  const [before, startedAt] = [await look(), performance.now()];
  await act();
  const seconds = (performance.now() - startedAt) / 1_000;
  const after = await look();
  return { seconds, counts: new Map([...after].map(([name, sum]) => [name, sum - (before.get(name) ?? 0)])) };
}

async function count(world: World, stores: Record<string, pg.Pool>): Promise<Counts> {
  const counts: Counts = new Map();
  const add = (name: string, value: number) => counts.set(name, (counts.get(name) ?? 0) + value);
  for (const [part, { cpuMs }] of await usageOf([...world.processes.pids].map(([name, pid]) => ({ name, pid }))))
    add(`CPU ms of ${part.replace(/-\d$/, '')}`, cpuMs);
  for (const [name, store] of Object.entries(stores)) {
    const { rows } = await store.query<Record<'calls' | 'wal' | 'size', string>>(COUNTS_OF_STORE);
    add(`statements of ${name}`, Number(rows[0]?.calls));
    add(`bytes of WAL of ${name}`, Number(rows[0]?.wal));
    add(`bytes on disk of ${name}`, Number(rows[0]?.size));
  }
  return counts;
}

/** Marks statements of the test, which are not counted. */
const LOOKS_ON = '/* looks on */';

const COUNTS_OF_STORE = `
  SELECT (SELECT sum(calls) FROM pg_stat_statements WHERE query NOT LIKE '%/* looks on */%') AS calls,
         pg_current_wal_insert_lsn() - '0/0' AS wal,
         (SELECT sum(pg_database_size(oid)) FROM pg_database) AS size ${LOOKS_ON}`;

/** Resolves once no onboarding is under way. */
async function untilNothingIsWatched(world: World): Promise<void> {
  const wait = async () => {
    while ((await world.database.query(`SELECT 1 FROM watch LIMIT 1 ${LOOKS_ON}`)).rowCount !== 0) await sleep(250);
  };
  await within(wait(), 'Leads are not onboarded');
}

/** Medians of what Temporal keeps of the runs of some leads. */
async function readRuns(world: World, leadIds: readonly string[]): Promise<Record<string, number>> {
  const runs = await Promise.all(leadIds.slice(0, RUNS).map((leadId) => readRun(world, leadId)));
  const [names = []] = runs.map((run) => Object.keys(run));
  const median = (name: string) =>
    percentile(
      runs.map((run) => run[name] ?? NaN),
      50,
    );
  return Object.fromEntries(names.map((name) => [name, median(name)]));
}

async function readRun(world: World, leadId: string): Promise<Record<string, number>> {
  const handle = world.temporal.workflow.getHandle(onboardingWorkflowId(leadId));
  const { raw, historyLength, historySize = NaN } = await handle.describe();
  const { events } = await handle.fetchHistory();
  return {
    'history events': historyLength,
    'bytes of history': historySize,
    'workflow tasks': (events ?? []).filter(({ workflowTaskCompletedEventAttributes: task }) => task).length,
    'state transitions': Number(raw.workflowExecutionInfo?.stateTransitionCount),
  };
}
