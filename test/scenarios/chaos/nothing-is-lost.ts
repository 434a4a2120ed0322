import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { PATIENCE_MS } from '../../support/patience.ts';
import type { Figures } from './checks/verify.ts';
import { createRandom } from './random.ts';
import { formatTable } from './report.ts';
import type { Scale, Scenario } from './scenario.ts';
import { devServer } from './world/dev-server.ts';
import { createWorld, type World, type WorldOptions } from './world/world.ts';

/** `CHAOS=full` runs everything, with the numbers that are promised; `CHAOS_SEED` chooses what is random. */
const scale: Scale = process.env['CHAOS'] === 'full' ? 'full' : 'short';
const seed = Number(process.env['CHAOS_SEED'] ?? 1);
const SCENARIO_TIMEOUT_MS = 15 * PATIENCE_MS;
const ENRICHMENT_DELAY_MS: Record<Scale, number> = { short: 3_000, full: 10_000 };

/**
 * Lets these happen one after the other in one deployment, as tests; all of them, or those that `short` has.
 * @param deployment with the dev server, unless told otherwise
 */
export function nothingIsLostWhen(scenarios: readonly Scenario[], deployment: Partial<WorldOptions> = {}): void {
  const results: { title: string; seconds: number; figures: Figures }[] = [];
  let world: World;

  beforeAll(async () => {
    const startTemporal = devServer(inject('temporalCli'));
    world = await createWorld({ startTemporal, enrichmentDelayMs: ENRICHMENT_DELAY_MS[scale], ...deployment });
  }, SCENARIO_TIMEOUT_MS);

  afterAll(async () => {
    console.log(formatTable(results, seed));
    await world.close();
  }, SCENARIO_TIMEOUT_MS);

  describe('nothing is lost when', () => {
    for (const { title, run } of scenarios.filter(({ inShort }) => inShort || scale === 'full')) {
      it(
        title,
        async () => {
          await world.untilReady();
          const startedAt = performance.now();
          const figures = await run({ world, scale, random: createRandom(seed) });
          results.push({ title, seconds: Math.round((performance.now() - startedAt) / 1_000), figures });
        },
        SCENARIO_TIMEOUT_MS,
      );
    }

    it('all of that has happened: no run is left running or failed, and no order is left', async () => {
      const { rows } = await world.database.query('SELECT kind, status, last_error FROM outbox');
      expect(rows).toEqual([]);
      for (const status of ['Running', 'Failed', 'Terminated', 'TimedOut']) {
        const count = async () => (await world.temporal.workflow.count(`ExecutionStatus = '${status}'`)).count;
        await expect.poll(count, { message: status }).toBe(0); // one that delivers events lingers for some seconds
      }
    });
  });
}
