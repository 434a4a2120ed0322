import { EXAMPLE_LEAD } from '../src/leads/example-lead.ts';
import { build } from '../test/support/build.ts';
import { type BenchServer, withServer } from './postgres.ts';
import { startEngine } from './sides/engine.ts';
import { startOurs } from './sides/ours.ts';
import { inTurns, withSide } from './sides/side.ts';
import { fillLeads } from './support/fill.ts';
import { load, loadLeads, type LoadResult } from './support/load.ts';
import { onboard, type Onboarded, oursOnboarding } from './support/onboardings.ts';
import { describeMachine, report, type Row } from './support/report.ts';
import { size, sizes } from './support/sizes.ts';
import { spread } from './support/statistics.ts';

/** What stored leads, more worker processes and a long backlog change. */
const ROUNDS = size('BENCH_ROUNDS', 3);
const STORED = sizes('BENCH_STORED', [1_000, 1_000_000]);
const POSTS = size('BENCH_POSTS', 2_000);
const READS = size('BENCH_READS', 300);
const COPIES = sizes('BENCH_COPIES', [1, 2, 4]);
const LEADS = size('BENCH_LEADS', 300);
const BACKLOG = size('BENCH_BACKLOG', 5_000);

const POST = 'POST, 20 connections';
const LISTS = {
  'all leads': 'limit=50',
  'by status': 'limit=50&status=NEW',
  'by source, none': 'limit=50&source=PARTNER',
  'by score band': 'limit=50&scoreBand=WARM',
  search: 'limit=50&q=silva',
};

interface Answers extends LoadResult {
  what: string;
  stored: number;
  round: number;
}

/** An API alone, on a database of its own with so many leads: what it reads first, since posts add leads. */
async function measureApi(server: BenchServer, template: string, stored: number, round: number): Promise<Answers[]> {
  const start = () => startOurs({ server, template, copies: 0 });
  return withSide({ name: 'API', start }, async (api) => {
    const { authorization = '' } = api;
    const read = (query: string, requests: number) =>
      load(`${api.url}?${query}`, () => ({ method: 'GET', headers: { authorization } }), { connections: 1, requests });
    const answers: Answers[] = [];
    for (const [what, query] of Object.entries(LISTS)) {
      await read(query, 20); // the first ones load pages
      answers.push({ what, stored, round, ...(await read(query, READS)) });
    }
    await loadLeads(api, { connections: 20, requests: 100 });
    const posts = await loadLeads(api, { connections: 20, requests: POSTS });
    return [...answers, { what: POST, stored, round, ...posts }];
  });
}

/** All of it with so many processes for each queue, which has the leads to onboard that are handed in at once. */
async function measureWorkers(server: BenchServer, copies: number, leads: number): Promise<Onboarded> {
  const engine = await startEngine();
  const start = () => startOurs({ server, engine, copies, settings: { ENRICHMENT_DELAY_MS: '1000' } });
  const work = async (onboarder: ReturnType<typeof oursOnboarding>) => {
    await onboard(engine, onboarder, 10);
    return onboard(engine, onboarder, leads);
  };
  try {
    return await withSide({ name: 'ours', start }, (ours) => work(oursOnboarding(ours, server)));
  } finally {
    await engine.end();
  }
}

build();
await withServer(async (server) => {
  const machine = await describeMachine(server.url);
  const filled: { stored: number; template: string }[] = [];
  for (const stored of STORED) {
    const { name, url } = await server.createDatabase();
    await fillLeads(url, EXAMPLE_LEAD.organizationId, stored);
    filled.push({ stored, template: name });
  }
  const answers: Answers[] = [];
  const workers: (Onboarded & { copies: number; round: number })[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { stored, template } of inTurns(filled, round)) {
      answers.push(...(await measureApi(server, template, stored, round)));
    }
    for (const copies of inTurns(COPIES, round)) {
      workers.push({ copies, round, ...(await measureWorkers(server, copies, LEADS)) });
    }
  }
  const backlog = await measureWorkers(server, 1, BACKLOG);

  const of = (what: string, stored: number | undefined) =>
    answers.filter((answer) => answer.what === what && answer.stored === stored).map(({ p99 }) => p99);
  const [few, many] = [STORED[0], STORED.at(-1)];
  const stored = [POST, ...Object.keys(LISTS)].map((what): Row => {
    const ratios = of(what, many).map((p99, round) => p99 / (of(what, few)[round] ?? NaN));
    const cells = STORED.map((count) => [`p99 ms with ${count}`, spread(of(what, count))] as const);
    const errors = answers.filter((a) => a.what === what).reduce((sum, answer) => sum + answer.errors, 0);
    return { what, ...Object.fromEntries(cells), 'ratio in one round': spread(ratios, 2), errors };
  });
  const copies = COPIES.map((count): Row => {
    const rounds = workers.filter((worker) => worker.copies === count);
    return {
      'processes for each queue': count,
      'onboardings/s': spread(
        rounds.map(({ perSecond }) => perSecond),
        2,
      ),
      'CPU ms for each lead': spread(rounds.map(({ cpu }) => cpu['all'] ?? NaN)),
    };
  });
  const waited = {
    leads: BACKLOG,
    seconds: Math.round(backlog.seconds),
    'onboardings/s': spread([backlog.perSecond], 2),
  };
  await report({
    name: 'growth',
    machine,
    sizes: { rounds: ROUNDS, posts: POSTS, reads: READS, leads: LEADS },
    tables: { 'Leads stored': stored, 'More processes': copies, 'A backlog, one process for each queue': [waited] },
    measurements: { answers, workers, backlog },
  });
});
