import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { verify } from '../checks/verify.ts';
import { PATIENCE_MS } from '../../../support/patience.ts';
import { LeadLoad, percentile } from '../load/lead-load.ts';
import type { Scenario } from '../scenario.ts';
import type { NetworkState } from '../world/fault-proxy.ts';
import type { World } from '../world/world.ts';

const COUNT = 200;
const AWAY_MS = 60_000;

/** Temporal cannot be reached for a minute, in which leads keep coming. */
const temporalAway = (title: string, state: NetworkState): Scenario => ({
  title,
  inShort: false,
  async run({ world }) {
    const rate = { count: COUNT, perSecond: COUNT / (AWAY_MS / 1_000) };
    const usual = new LeadLoad(world);
    await usual.post(rate);
    await verify(world, usual);

    const load = new LeadLoad(world);
    const setAll = (next: NetworkState) => Promise.all(world.networks('temporal').map((network) => network.set(next)));
    await setAll(state);
    await Promise.all([load.post(rate), sleep(AWAY_MS)]);
    expect(load.report).toMatchObject({ attempts: COUNT, statuses: { 201: COUNT }, refused: 0, cut: 0, late: 0 });
    await setAll('pass');
    const startedMs = await untilStarted(world, load.organizationId);
    const p95 = percentile(load.report.durations, 95);
    const usualP95 = percentile(usual.report.durations, 95);
    return {
      'usual p95 ms': usualP95.toFixed(1),
      'p95 without Temporal ms': p95.toFixed(1),
      'all started after s': (startedMs / 1_000).toFixed(1),
      ...(await verify(world, load)),
    };
  },
});

/** Counts from now until no order of an organization is left, which means that each run has been started. */
async function untilStarted(world: World, organizationId: string): Promise<number> {
  const startedAt = performance.now();
  for (;;) {
    const { rowCount } = await world.database.query('SELECT 1 FROM outbox WHERE organization_id = $1 LIMIT 1', [
      organizationId,
    ]);
    const elapsedMs = performance.now() - startedAt;
    if (rowCount === 0) return elapsedMs;
    if (elapsedMs > PATIENCE_MS) throw new Error(`Not all runs were started within ${PATIENCE_MS} ms`);
    await sleep(50);
  }
}

export const temporalDown = temporalAway('Temporal refuses connections for a minute', 'down');
export const temporalSilent = temporalAway('Temporal is behind a black hole for a minute', 'black-hole');
