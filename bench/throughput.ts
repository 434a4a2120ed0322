import { randomUUID } from 'node:crypto';
import { build } from '../test/support/build.ts';
import { BARE_ONBOARDING, BARE_QUEUES } from './bare/contract.ts';
import { type BenchServer, withServer } from './postgres.ts';
import { startBareWorkers } from './sides/bare-workflow.ts';
import { type Engine, startEngine } from './sides/engine.ts';
import { startOurs } from './sides/ours.ts';
import { inTurns } from './sides/side.ts';
import { onboard, type Onboarded, type Onboarder, oursOnboarding } from './support/onboardings.ts';
import { describeMachine, report, type Row } from './support/report.ts';
import { size } from './support/sizes.ts';
import { spread } from './support/statistics.ts';

/** How many leads are onboarded in a second, and what one costs, beside a bare workflow on the same Temporal. */
const ROUNDS = size('BENCH_ROUNDS', 3);
const LEADS = size('BENCH_LEADS', 300);
const WARM_UP_LEADS = size('BENCH_WARM_UP_LEADS', 30);
const DELAY_MS = size('BENCH_DELAY_MS', 1_000);

interface ThroughputSide {
  name: string;
  start(): Promise<Onboarder & { end(): Promise<unknown> }>;
}

const sidesOf = (server: BenchServer, engine: Engine): ThroughputSide[] => [
  {
    name: 'ours',
    async start() {
      const settings = { ENRICHMENT_DELAY_MS: String(DELAY_MS) };
      const ours = await startOurs({ server, engine, settings });
      return { ...oursOnboarding(ours, server), end: () => ours.end() };
    },
  },
  {
    name: 'bare workflow',
    async start() {
      const { processes, end } = await startBareWorkers(engine);
      const { taskQueue } = BARE_QUEUES['lead-onboarding'];
      return {
        workflowType: BARE_ONBOARDING,
        handIn: (client) => {
          const leadId = randomUUID();
          const args = [{ leadId, delayMs: DELAY_MS }];
          return client.workflow.start(BARE_ONBOARDING, { workflowId: `bare-${leadId}`, taskQueue, args });
        },
        processes,
        end,
      };
    },
  },
];

build();
const engine = await startEngine();
try {
  await withServer(async (server) => {
    const sides = sidesOf(server, engine);
    const machine = await describeMachine(server.url);
    const measurements: (Onboarded & { side: string; round: number })[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const side of inTurns(sides, round)) {
        const started = await side.start();
        try {
          await onboard(engine, started, WARM_UP_LEADS);
          measurements.push({ side: side.name, round, ...(await onboard(engine, started, LEADS)) });
        } finally {
          await started.end();
        }
      }
    }

    const of = (side: string) => measurements.filter((m) => m.side === side);
    const names = [...new Set(measurements.flatMap(({ cpu }) => Object.keys(cpu)))];
    const rows = [
      row('onboardings/s', ({ perSecond }) => perSecond, 2),
      ...names.map((name) => row(name === 'all' ? 'all CPU ms' : `${name} CPU ms`, ({ cpu }) => cpu[name] ?? NaN)),
    ];
    const rounds = of('ours').map((own) => ({
      own,
      bare: of('bare workflow').find(({ round }) => round === own.round),
    }));
    const ratios = rounds.map(({ own, bare }) => own.perSecond / (bare?.perSecond ?? NaN));
    const above = rounds.map(({ own, bare }) => (own.cpu['all'] ?? NaN) - (bare?.cpu['all'] ?? NaN));
    await report({
      name: 'throughput',
      machine,
      sizes: { rounds: ROUNDS, leads: LEADS, 'warm-up': WARM_UP_LEADS, 'delay ms': DELAY_MS },
      tables: {
        'For each lead, medians (least–most)': rows,
        'Ours beside bare, in one round': [{ 'onboardings/s': spread(ratios, 2), 'CPU ms above bare': spread(above) }],
      },
      measurements,
    });

    function row(what: string, value: (onboarded: Onboarded) => number, digits?: number): Row {
      const cells = sides.map(({ name }) => [name, spread(of(name).map(value), digits)] as const);
      return { what, ...Object.fromEntries(cells) };
    }
  });
} finally {
  await engine.end();
}
