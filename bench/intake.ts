import { build } from '../test/support/build.ts';
import { type BenchServer, withServer } from './postgres.ts';
import { startBareHono } from './sides/bare-hono.ts';
import { startOurs } from './sides/ours.ts';
import { prepareSeedDesign, startSeedDesign } from './sides/seed-design.ts';
import { inTurns, type Side, withSide } from './sides/side.ts';
import { loadLeads, type LoadResult } from './support/load.ts';
import { describeMachine, report, type Row } from './support/report.ts';
import { chosen, size, sizes } from './support/sizes.ts';
import { spread } from './support/statistics.ts';
import { cpuBetween, usageOf } from './support/usage.ts';

/** How many leads are taken in a second, and what one costs: our API, the old design, and a bare route. */
const ROUNDS = size('BENCH_ROUNDS', 3);
const SECONDS = size('BENCH_SECONDS', 10);
/** In leads, not in seconds: on a busy machine a process is still cold after some of these. */
const WARM_UP_LEADS = size('BENCH_WARM_UP_LEADS', 1_000);
const CONNECTIONS = sizes('BENCH_CONNECTIONS', [1, 20, 100]);

interface Measurement extends LoadResult {
  side: string;
  connections: number;
  round: number;
  /** Milliseconds of CPU for each lead taken in. */
  apiCpu: number;
  postgresCpu: number;
  othersCpu: number;
}

const sidesOf = (server: BenchServer): Side[] => [
  { name: 'ours', start: () => startOurs({ server }) },
  { name: 'old design', start: () => startSeedDesign(server) },
  { name: 'bare Hono', start: () => startBareHono(server) },
];

async function measure(side: Side, server: BenchServer, connections: number, round: number): Promise<Measurement> {
  return withSide(side, async (started) => {
    await loadLeads(started, { connections, requests: WARM_UP_LEADS });
    const processes = [...started.processes, server.process];
    const before = await usageOf(processes);
    const result = await loadLeads(started, { connections, seconds: SECONDS });
    const after = await usageOf(processes);
    const cpu = (isMeant: (name: string) => boolean) => cpuBetween(before, after, isMeant) / result.answers;
    return {
      side: side.name,
      connections,
      round,
      ...result,
      apiCpu: cpu((name) => name === 'api'),
      postgresCpu: cpu((name) => name === 'postgres'),
      othersCpu: cpu((name) => name !== 'api' && name !== 'postgres'),
    };
  });
}

build();
await withServer(async (server) => {
  const sides = chosen('BENCH_SIDES', sidesOf(server));
  if (sides.some(({ name }) => name === 'old design')) await prepareSeedDesign();
  const machine = await describeMachine(server.url);
  const measurements: Measurement[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const connections of CONNECTIONS) {
      for (const side of inTurns(sides, round)) {
        const measurement = await measure(side, server, connections, round);
        measurements.push(measurement);
        process.stderr.write(`${JSON.stringify(measurement)}\n`);
      }
    }
  }
  const all = (connections: number, side: string) =>
    measurements.filter((m) => m.connections === connections && m.side === side);
  const table = CONNECTIONS.flatMap((connections) =>
    sides.map(({ name }): Row => {
      const of = (key: Exclude<keyof Measurement, 'side'>, digits?: number) =>
        spread(
          all(connections, name).map((m) => m[key]),
          digits,
        );
      return {
        connections,
        side: name,
        'leads/s': of('perSecond'),
        'p50 ms': of('p50'),
        'p99 ms': of('p99'),
        'API CPU ms': of('apiCpu', 2),
        'Postgres CPU ms': of('postgresCpu', 2),
        'others CPU ms': of('othersCpu', 2),
        errors: all(connections, name).reduce((sum, { errors }) => sum + errors, 0),
      };
    }),
  );
  const beside = CONNECTIONS.flatMap((connections) =>
    sides.slice(1).map(({ name }): Row => {
      const ratio = (key: 'perSecond' | 'p99') =>
        spread(
          all(connections, name).flatMap((other) =>
            all(connections, 'ours').flatMap((own) => (own.round === other.round ? own[key] / other[key] : [])),
          ),
          2,
        );
      return { connections, 'ours beside': name, 'leads/s': ratio('perSecond'), p99: ratio('p99') };
    }),
  );
  await report({
    name: 'intake',
    machine,
    sizes: { rounds: ROUNDS, seconds: SECONDS, 'warm-up leads': WARM_UP_LEADS },
    tables: { 'For each lead, medians (least–most)': table, 'Ratios in one round': beside },
    measurements,
  });
});
