import { createServer } from 'node:net';
import { freePort } from '../src/local/ports.ts';
import { build } from '../test/support/build.ts';
import { connected, withServer } from './postgres.ts';
import { startOurs } from './sides/ours.ts';
import type { StartedSide } from './sides/side.ts';
import { postSteadily } from './support/load.ts';
import { OUR_STEPS, type Steps } from './support/our-steps.ts';
import { describeMachine, report, type Row } from './support/report.ts';
import { size } from './support/sizes.ts';
import { percentile } from './support/statistics.ts';
import { untilCount } from './support/until.ts';

/**
 * What webhook endpoints that are down cost others: two stacks at the same time, one of them with endpoints half of which
 * refuse connections and half never answer. So whatever else the machine does meets both.
 */
const MINUTES = size('BENCH_MINUTES', 60);
const RATE = size('BENCH_RATE', 1);
const ENDPOINTS = size('BENCH_ENDPOINTS', 10);
const ORGANIZATION = 'org-123';
/** What tells why leads do not go on. */
const STANDSTILL = [
  'SELECT state, count(*)::integer FROM onboarding GROUP BY state',
  'SELECT kind, status, attempts, last_error, count(*)::integer FROM outbox GROUP BY 1, 2, 3, 4 LIMIT 20',
  'SELECT type, count(*)::integer, max(at) FROM lead_event GROUP BY type',
];

/** Accepts connections, and says nothing. @returns its address */
async function startHanging(): Promise<{ url: string; close: () => void }> {
  const server = createServer(() => undefined);
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${port}/hook`, close: () => server.close() };
}

async function addEndpoints({ url, authorization = '' }: StartedSide, urls: string[]): Promise<void> {
  for (let made = 0; made < ENDPOINTS; made += 1) {
    const answer = await fetch(url.replace(/leads$/, 'webhooks'), {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify({ organizationId: ORGANIZATION, url: urls[made % urls.length] }),
    });
    if (!answer.ok) throw new Error(`An endpoint is not made: ${answer.status} ${await answer.text()}`);
  }
}

/** Hands leads in, waits until all are onboarded, and tells how that went. */
async function measure(name: string, side: StartedSide): Promise<Row> {
  const answers = await postSteadily(side, RATE, MINUTES * 60);
  const taken = answers.filter((answer) => answer !== undefined).length;
  return connected(side.databaseUrl, async ({ pool }) => {
    await untilCount(
      `${name}: leads with all steps done`,
      taken,
      async () => (await pool.query(OUR_STEPS)).rowCount ?? 0,
    ).catch(async (err: unknown) => {
      for (const text of STANDSTILL) console.error(name, (await pool.query(text)).rows);
      throw err;
    });
    const { rows: steps } = await pool.query<Steps>(OUR_STEPS);
    const { rows: states } = await pool.query<{ state: string; count: number }>(
      'SELECT state, count(*)::integer AS count FROM onboarding GROUP BY state ORDER BY state',
    );
    const { rows: told } = await pool.query<{ attempts: number; behind: number }>(`
      SELECT (SELECT count(*)::integer FROM webhook_attempt) AS attempts,
             (SELECT count(*)::integer FROM webhook_endpoint WHERE failing_since IS NOT NULL) AS behind`);
    const of = (key: 'notified' | 'timer' | 'scored', share: number) =>
      Math.round(
        percentile(
          steps.map((step) => step[key]),
          share,
        ),
      );
    return {
      side: name,
      leads: taken,
      'not taken in': answers.length - taken,
      states: states.map(({ state, count }) => `${count} ${state}`).join(', '),
      'notified p50': of('notified', 0.5),
      'notified p99': of('notified', 0.99),
      'timer p50': of('timer', 0.5),
      'scored p99': of('scored', 0.99),
      'endpoints that fail': told[0]?.behind ?? 0,
      'attempts at them': told[0]?.attempts ?? 0,
    };
  });
}

build();
await withServer(
  async (server) => {
    const machine = await describeMachine(server.url);
    const hanging = await startHanging();
    const settings = { WEBHOOK_ALLOW_HOSTS: '127.0.0.1' };
    const [without, withThem] = [await startOurs({ server, settings }), await startOurs({ server, settings })];
    try {
      await addEndpoints(withThem, [`http://127.0.0.1:${await freePort()}/hook`, hanging.url]);
      const measurements = await Promise.all([
        measure('no endpoint', without),
        measure(`${ENDPOINTS} endpoints that are down`, withThem),
      ]);
      await report({
        name: 'dead-endpoints',
        machine,
        sizes: { minutes: MINUTES, 'leads a second, of each': RATE },
        tables: { Milliseconds: measurements },
        measurements,
      });
    } finally {
      hanging.close();
      for (const side of [without, withThem]) await side.end();
    }
  },
  { track_commit_timestamp: 'on' },
);
