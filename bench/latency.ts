import { build } from '../test/support/build.ts';
import { type BenchDatabase, connected, withServer } from './postgres.ts';
import { startOurs } from './sides/ours.ts';
import { prepareSeedDesign, startSeedDesign } from './sides/seed-design.ts';
import { inTurns, type Side, withSide } from './sides/side.ts';
import { postLead, postSteadily } from './support/load.ts';
import { DELAY_MS, ms, NOTIFIED, OUR_STEPS, type Steps } from './support/our-steps.ts';
import { describeMachine, report, type Row } from './support/report.ts';
import { chosen, size, sizes } from './support/sizes.ts';
import { percentile, spread } from './support/statistics.ts';
import { untilCount } from './support/until.ts';

/** When the steps of a lead are done, after it was taken in: ours, and the old design. */
const ROUNDS = size('BENCH_ROUNDS', 3);
const SECONDS = size('BENCH_SECONDS', 60);
const RATES = sizes('BENCH_RATES', [1, 5]);

interface LatencySide extends Side {
  /** Answers one row for each lead whose steps are all done. */
  steps: string;
}

const OLD_DESIGN = `
  SELECT lead.id, ${ms(`${NOTIFIED} - lead.created_at`)} AS notified, ${ms(NOTIFIED)} AS "notifiedAt",
         ${ms('enriched_at - lead.created_at')} - ${DELAY_MS} AS timer, ${ms('scored_at - lead.created_at')} AS scored
  FROM lead JOIN notification ON action_url = '/dashboard/leads/' || lead.id
  WHERE enriched_at IS NOT NULL AND scored_at IS NOT NULL`;

interface Measurement {
  side: string;
  rate: number;
  round: number;
  /** Milliseconds to the notification of the first lead after the start. */
  first: number;
  /** The other leads, with the milliseconds from the answer to the notification. */
  leads: (Steps & { afterAnswer: number })[];
  notTakenIn: number;
}

async function measure(side: LatencySide, rate: number, round: number): Promise<Measurement> {
  return withSide(side, (started) =>
    connected(started.databaseUrl, async ({ pool }) => {
      const first = await postLead(started);
      await untilDone(pool, side, 1);
      const answers = await postSteadily(started, rate, SECONDS);
      const taken = answers.filter((answer) => answer !== undefined);
      await untilDone(pool, side, 1 + taken.length);
      const byId = new Map((await pool.query<Steps>(side.steps)).rows.map((row) => [row.id, row]));
      return {
        side: side.name,
        rate,
        round,
        first: byId.get(first.id)?.notified ?? NaN,
        leads: taken.flatMap(({ id, answeredAt }) => {
          const latency = byId.get(id);
          return latency === undefined ? [] : [{ ...latency, afterAnswer: latency.notifiedAt - answeredAt }];
        }),
        notTakenIn: answers.length - taken.length,
      };
    }),
  );
}

const untilDone = (pool: BenchDatabase['pool'], { name, steps }: LatencySide, count: number): Promise<void> =>
  untilCount(`${name}: leads with all steps done`, count, async () => (await pool.query(steps)).rowCount ?? 0);

const settings = { track_commit_timestamp: 'on' }; // a row's own time is older than the moment when others see it
build();
await withServer(async (server) => {
  const sides = chosen<LatencySide>('BENCH_SIDES', [
    { name: 'ours', start: () => startOurs({ server }), steps: OUR_STEPS },
    { name: 'old design', start: () => startSeedDesign(server), steps: OLD_DESIGN },
  ]);
  if (sides.some(({ name }) => name === 'old design')) await prepareSeedDesign();
  const machine = await describeMachine(server.url);
  const measurements: Measurement[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const rate of RATES) {
      for (const side of inTurns(sides, round)) measurements.push(await measure(side, rate, round));
    }
  }

  const table = RATES.flatMap((rate) =>
    sides.map(({ name }): Row => {
      const rounds = measurements.filter((m) => m.rate === rate && m.side === name);
      const of = (key: Exclude<keyof Steps, 'id'> | 'afterAnswer', share: number) =>
        spread(
          rounds.map(({ leads }) =>
            percentile(
              leads.map((lead) => lead[key]),
              share,
            ),
          ),
        );
      return {
        'leads/s': rate,
        side: name,
        'notified p50': of('notified', 0.5),
        'notified p99': of('notified', 0.99),
        'after the answer p50': of('afterAnswer', 0.5),
        'timer p50': of('timer', 0.5),
        'timer p99': of('timer', 0.99),
        'scored p99': of('scored', 0.99),
        'not taken in': rounds.reduce((sum, { notTakenIn }) => sum + notTakenIn, 0),
      };
    }),
  );
  const firsts = sides.map(({ name }): Row => {
    const values = measurements.filter(({ side }) => side === name).map(({ first }) => first);
    return { side: name, starts: values.length, 'notified ms': spread(values) };
  });
  await report({
    name: 'latency',
    machine,
    sizes: { rounds: ROUNDS, seconds: SECONDS },
    tables: { 'Milliseconds, medians of the rounds (least–most)': table, 'The first lead after a start': firsts },
    measurements,
  });
}, settings);
