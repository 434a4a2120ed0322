import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { LEAD_ONBOARDING } from '../workflows/contract.ts';
import { freePort } from '../src/local/ports.ts';
import { projectRoot } from '../src/local/project-root.ts';
import { build } from '../test/support/build.ts';
import type { Engine } from './sides/engine.ts';
import { inTurns } from './sides/side.ts';
import { postLead } from './support/load.ts';
import { onboard, type Onboarded, type Onboarder } from './support/onboardings.ts';
import { listens, runProgram } from './support/processes.ts';
import { describeMachine, report } from './support/report.ts';
import { size } from './support/sizes.ts';
import { spread } from './support/statistics.ts';

/** How many leads `npm start` onboards in a second, here and in another checkout: `npm run bench:checkouts -- <folder>`. */
const ROUNDS = size('BENCH_ROUNDS', 3);
const LEADS = size('BENCH_LEADS', 150);
const WARM_UP_LEADS = size('BENCH_WARM_UP_LEADS', 30);
const DELAY_MS = size('BENCH_DELAY_MS', 1_000);

const [, , other] = process.argv;
if (other === undefined) throw new Error('Name the folder of another checkout in which npm ci has run.');

/** All of `npm start` with empty stores, its Temporal and its Postgres too. */
async function startStack(folder: string): Promise<Onboarder & Pick<Engine, 'address' | 'end'>> {
  const dataDir = await mkdtemp(join(tmpdir(), 'lead-onboarding-checkout-'));
  const [port = 0, postgres, temporal, ui, board] = await Promise.all(Array.from({ length: 5 }, freePort));
  const stack = await runProgram(
    {
      name: 'npm start',
      command: process.execPath,
      args: [join(folder, 'dist/src/local/start.js')],
      cwd: folder,
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        DATA_DIR: dataDir,
        PORT: String(port),
        POSTGRES_PORT: String(postgres),
        TEMPORAL_PORT: String(temporal),
        TEMPORAL_UI_PORT: String(ui),
        BOARD_PORT: String(board),
        ENRICHMENT_DELAY_MS: String(DELAY_MS),
        RATE_LIMIT: '9999999/60',
      },
    },
    listens(port),
  );
  return {
    workflowType: LEAD_ONBOARDING,
    handIn: () => postLead({ url: `http://127.0.0.1:${port}/api/leads` }),
    processes: [stack],
    address: `127.0.0.1:${temporal}`,
    async end() {
      await stack.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

build();
const checkouts = [
  { name: 'this checkout', folder: projectRoot() },
  { name: 'the other one', folder: resolve(other) },
];
const machine = await describeMachine();
const measurements: (Onboarded & { side: string; round: number })[] = [];
for (let round = 0; round < ROUNDS; round += 1) {
  for (const { name, folder } of inTurns(checkouts, round)) {
    const stack = await startStack(folder);
    try {
      await onboard(stack, stack, WARM_UP_LEADS);
      measurements.push({ side: name, round, ...(await onboard(stack, stack, LEADS)) });
    } finally {
      await stack.end();
    }
  }
}

const of = (side: string) => measurements.filter((m) => m.side === side);
const ratios = of('this checkout').map(
  ({ round, perSecond }) => perSecond / (of('the other one').find((m) => m.round === round)?.perSecond ?? NaN),
);
await report({
  name: 'checkouts',
  machine,
  sizes: { rounds: ROUNDS, leads: LEADS, 'warm-up': WARM_UP_LEADS, 'delay ms': DELAY_MS },
  tables: {
    'For each lead, medians (least–most)': checkouts.map(({ name }) => ({
      checkout: name,
      'onboardings/s': spread(
        of(name).map(({ perSecond }) => perSecond),
        2,
      ),
      'CPU ms': spread(of(name).map(({ cpu }) => cpu['all'] ?? NaN)),
    })),
    'This checkout beside the other, in one round': [{ 'onboardings/s': spread(ratios, 2) }],
  },
  measurements,
});
