import { expect } from 'vitest';
import { type LeadLoad, percentile } from '../load/lead-load.ts';
import type { World } from '../world/world.ts';
import { PATIENCE_MS } from '../../../support/patience.ts';
import { readOutcome, readOver, untilOnboarded } from './outcome.ts';
import { readRuns } from './runs.ts';
import { faultsOfTimelines } from './timelines.ts';

/** What was measured in a scenario, by its name in the table. */
export type Figures = Record<string, number | string>;

/**
 * Holds what the service has promised to a caller against what became of it, once everything has come to rest:
 * nothing acknowledged is lost, nothing happened twice, nothing is left running, and every run can be replayed.
 * @param storeLostAt when Temporal's store was lost: the runs of onboardings that were over by then went with it
 * @throws what `expect` throws
 */
export async function verify(world: World, load: LeadLoad, storeLostAt = new Date(0)): Promise<Figures> {
  const settledMs = await untilOnboarded(world, load.organizationId, 5 * PATIENCE_MS);
  const acknowledged = new Map(load.truth.read().map(({ email, id }) => [email, id]));
  const { leadIds, emails, notifications } = await readOutcome(world, load.organizationId);
  const lost = [...acknowledged.values()].filter((id) => !leadIds.includes(id));
  expect(lost, 'acknowledged and not in Postgres').toEqual([]);
  expect(leadIds.length, 'leads that nobody was told of').toBe(acknowledged.size);
  expect(emails, 'leads with an e-mail of their own').toBe(leadIds.length);

  const notified = new Set(notifications.map(({ leadId }) => leadId));
  expect({ notified: notified.size, notifications: notifications.length }).toEqual({
    notified: leadIds.length,
    notifications: leadIds.length,
  });
  const missing = () => notifications.filter(({ id }) => !world.sink.deliveries.has(id)).length;
  await expect.poll(missing, { message: 'notifications that the outside never got' }).toBe(0);
  const deliveries = notifications.map(({ id }) => world.sink.deliveries.get(id) ?? 0);
  expect(world.sink.forged, 'deliveries with a bad signature').toBe(0);

  expect(await faultsOfTimelines(world, load.organizationId, leadIds)).toEqual([]);
  const runs = await readRuns(world.temporal, leadIds);
  const over = await readOver(world, load.organizationId, storeLostAt);
  expect(over.length, 'onboardings that the loss found under way').toBeLessThan(leadIds.length);
  expect(
    runs.missing.filter((leadId) => !over.includes(leadId)),
    'leads without a run',
  ).toEqual([]);
  expect(runs.statuses, 'runs').toEqual({ COMPLETED: leadIds.length - runs.missing.length });
  expect(runs.replayFaults).toEqual([]);
  expect(world.processes.casualties, 'processes that died by themselves').toEqual([]);

  const { attempts, durations } = load.report;
  return {
    acknowledged: acknowledged.size,
    onboarded: leadIds.length,
    lost: lost.length,
    'duplicate leads': leadIds.length - emails,
    'duplicate notifications': notifications.length - notified.size,
    'repeated deliveries': deliveries.filter((times) => times > 1).length,
    'histories replayed': runs.replayed,
    attempts,
    'p50 ms': Math.round(percentile(durations, 50)),
    'p95 ms': Math.round(percentile(durations, 95)),
    'max ms': Math.round(Math.max(...durations)),
    'settled after s': Math.round(settledMs / 1_000),
  };
}
