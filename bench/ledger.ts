import { build } from '../test/support/build.ts';
import { withServer } from './postgres.ts';
import { startEngine } from './sides/engine.ts';
import { startOurs } from './sides/ours.ts';
import { inTurns } from './sides/side.ts';
import { onboard, type Onboarded, oursOnboarding } from './support/onboardings.ts';
import { describeMachine, report } from './support/report.ts';
import { size } from './support/sizes.ts';
import { spread } from './support/statistics.ts';

/** What the ledger of attempts costs: onboardings in a second, and CPU for each, with it and without. */
const ROUNDS = size('BENCH_ROUNDS', 3);
const LEADS = size('BENCH_LEADS', 300);
const WARM_UP_LEADS = size('BENCH_WARM_UP_LEADS', 30);
const DELAY_MS = size('BENCH_DELAY_MS', 1_000);

const SIDES = ['on', 'off'] as const;

build();
const engine = await startEngine();
try {
  await withServer(async (server) => {
    const machine = await describeMachine(server.url);
    const measurements: (Onboarded & { side: (typeof SIDES)[number]; round: number })[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const side of inTurns(SIDES, round)) {
        const settings = { ENRICHMENT_DELAY_MS: String(DELAY_MS), ATTEMPT_LEDGER: side };
        const ours = await startOurs({ server, engine, settings });
        try {
          const onboarding = oursOnboarding(ours, server);
          await onboard(engine, onboarding, WARM_UP_LEADS);
          measurements.push({ side, round, ...(await onboard(engine, onboarding, LEADS)) });
        } finally {
          await ours.end();
        }
      }
    }

    const of = (side: string, value: (onboarded: Onboarded) => number) =>
      measurements.filter((m) => m.side === side).map(value);
    const row = (what: string, value: (onboarded: Onboarded) => number, digits?: number) => ({
      what,
      on: spread(of('on', value), digits),
      off: spread(of('off', value), digits),
    });
    const cpuOf = (name: string) => row(`${name} CPU ms`, ({ cpu }) => cpu[name] ?? NaN);
    await report({
      name: 'ledger',
      machine,
      sizes: { rounds: ROUNDS, leads: LEADS, 'warm-up': WARM_UP_LEADS, 'delay ms': DELAY_MS },
      tables: {
        'For each lead, medians (least–most)': [
          row('onboardings/s', ({ perSecond }) => perSecond, 2),
          ...['all', 'worker:notification', 'worker:lead', 'postgres'].map(cpuOf),
        ],
      },
      measurements,
    });
  });
} finally {
  await engine.end();
}
