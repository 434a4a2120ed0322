import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { build } from '../test/support/build.ts';
import { withServer } from './postgres.ts';
import { startEngine } from './sides/engine.ts';
import { startOurs } from './sides/ours.ts';
import { inTurns } from './sides/side.ts';
import { loadLeads, type LoadResult } from './support/load.ts';
import { onboard, type Onboarded, oursOnboarding } from './support/onboardings.ts';
import { describeMachine, report } from './support/report.ts';
import { size } from './support/sizes.ts';
import { spread } from './support/statistics.ts';

/**
 * What it costs to be seen: onboardings in a second, and CPU for each, then leads taken in at once in a second, with the
 * ledger of attempts, with metrics as well, with spans sent to a collector besides, and with none of it.
 */
const ROUNDS = size('BENCH_ROUNDS', 3);
const LEADS = size('BENCH_LEADS', 300);
const WARM_UP_LEADS = size('BENCH_WARM_UP_LEADS', 30);
const DELAY_MS = size('BENCH_DELAY_MS', 1_000);
const CONNECTIONS = 20;
const SECONDS = size('BENCH_SECONDS', 8);
const WARM_UP_INTAKE = 1_000;

const SIDES = ['nothing', 'ledger', 'ledger, metrics', 'ledger, metrics, traces'] as const;
type Side = (typeof SIDES)[number];

/** It takes what it is sent, and does no more with it. */
const collector = createServer((request, response) => {
  request.resume().once('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
}).listen(0, '127.0.0.1');
await once(collector, 'listening');
const collectorUrl = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;

const settingsOf = (side: Side): NodeJS.ProcessEnv => ({
  ENRICHMENT_DELAY_MS: String(DELAY_MS),
  ATTEMPT_LEDGER: side === 'nothing' ? 'off' : 'on',
  ...(side.includes('traces') && { OTEL_EXPORTER_OTLP_ENDPOINT: collectorUrl }),
});

build();
const engine = await startEngine();
try {
  await withServer(async (server) => {
    const machine = await describeMachine(server.url);
    const measurements: (Onboarded & { side: Side; round: number })[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const side of inTurns(SIDES, round)) {
        const measured = side.includes('metrics');
        const ours = await startOurs({ server, engine, settings: settingsOf(side), measured });
        try {
          const onboarding = oursOnboarding(ours, server);
          await onboard(engine, onboarding, WARM_UP_LEADS);
          measurements.push({ side, round, ...(await onboard(engine, onboarding, LEADS)) });
        } finally {
          await ours.end();
        }
      }
    }

    const intakes: (LoadResult & { side: Side; round: number })[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const side of inTurns(SIDES, round)) {
        // With a Temporal of its own: what it leaves behind there would be worked on in the next turn.
        const ours = await startOurs({ server, settings: settingsOf(side), measured: side.includes('metrics') });
        try {
          await loadLeads(ours, { connections: CONNECTIONS, requests: WARM_UP_INTAKE });
          intakes.push({ side, round, ...(await loadLeads(ours, { connections: CONNECTIONS, seconds: SECONDS })) });
        } finally {
          await ours.end();
        }
      }
    }

    const of = (side: string, value: (onboarded: Onboarded) => number) =>
      measurements.filter((m) => m.side === side).map(value);
    const row = (what: string, value: (onboarded: Onboarded) => number, digits?: number) => ({
      what,
      ...Object.fromEntries(SIDES.map((side) => [side, spread(of(side, value), digits)])),
    });
    const intakeRow = (what: string, value: (intake: LoadResult) => number) => ({
      what,
      ...Object.fromEntries(
        SIDES.map((side) => [side, spread(intakes.filter((intake) => intake.side === side).map(value))]),
      ),
    });
    const cpuOf = (name: string) => row(`${name} CPU ms`, ({ cpu }) => cpu[name] ?? NaN);
    await report({
      name: 'observed',
      machine,
      sizes: {
        rounds: ROUNDS,
        leads: LEADS,
        'warm-up': WARM_UP_LEADS,
        'delay ms': DELAY_MS,
        'seconds of intake': SECONDS,
      },
      tables: {
        'For each lead, medians (least–most)': [
          row('onboardings/s', ({ perSecond }) => perSecond, 2),
          ...['all', 'api', 'relay', 'worker:notification', 'worker:lead', 'postgres'].map(cpuOf),
        ],
        [`Intake over ${CONNECTIONS} connections`]: [
          intakeRow('leads/s', ({ perSecond }) => perSecond),
          intakeRow('p50 ms', ({ p50 }) => p50),
          intakeRow('p99 ms', ({ p99 }) => p99),
        ],
      },
      measurements: [...measurements, ...intakes],
    });
  });
} finally {
  await engine.end();
  collector.close();
  collector.closeAllConnections();
}
