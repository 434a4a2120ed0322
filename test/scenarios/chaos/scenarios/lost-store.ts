import { setTimeout as sleep } from 'node:timers/promises';
import { type Figures, verify } from '../checks/verify.ts';
import { PATIENCE_MS } from '../../../support/patience.ts';
import { LeadLoad } from '../load/lead-load.ts';
import type { Scenario } from '../scenario.ts';
import { copyTemporalStore, loseTemporalStore } from '../world/dev-server.ts';
import type { World } from '../world/world.ts';

const LEADS = { short: 10, full: 100 };

export const lostStore: Scenario = {
  title: "Temporal's whole store is deleted while leads are in their sleep",
  inShort: true,
  async run({ world, scale }) {
    const load = new LeadLoad(world);
    await postAndAwait(world, load, LEADS[scale]);
    await loseTemporalStore(world);
    return verifyAfterLoss(world, load);
  },
};

/** What the local engine's SQLite settings give up: what was written last may not be on the disk yet. */
export const lostMoments: Scenario = {
  title: "a power loss takes the last moments of Temporal's store",
  inShort: true,
  async run({ world, scale }) {
    const load = new LeadLoad(world);
    await postAndAwait(world, load, LEADS[scale]);
    const losePower = await copyTemporalStore(world);
    await postAndAwait(world, load, 2 * LEADS[scale]);
    await losePower();
    return verifyAfterLoss(world, load);
  },
};

async function verifyAfterLoss(world: World, load: LeadLoad): Promise<Figures> {
  const storeLostAt = new Date();
  const figures = await verify(world, load, storeLostAt);
  return { 'onboarded after s': Math.round((Date.now() - storeLostAt.getTime()) / 1_000), ...figures };
}

/** Posts leads until there are so many, and waits until they all are notified. */
async function postAndAwait(world: World, load: LeadLoad, all: number): Promise<void> {
  const count = all - load.truth.read().length;
  await load.post({ count, perSecond: count });
  const text = 'SELECT count(*)::int AS count FROM notification WHERE organization_id = $1';
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const { rows } = await world.database.query<{ count: number }>(text, [load.organizationId]);
    if (rows[0]?.count === all) return;
    if (Date.now() > deadline) throw new Error('The leads are not notified');
    await sleep(50);
  }
}
