import { setTimeout as sleep } from 'node:timers/promises';
import { verify } from '../checks/verify.ts';
import { PATIENCE_MS } from '../../../support/patience.ts';
import { LeadLoad } from '../load/lead-load.ts';
import type { Scenario } from '../scenario.ts';

export const lostStore: Scenario = {
  title: "Temporal's whole store is deleted while leads are in their sleep",
  inShort: true,
  async run({ world, scale }) {
    const load = new LeadLoad(world);
    const count = { short: 10, full: 100 }[scale];
    await load.post({ count, perSecond: count });
    await untilNotified(load, count);
    await world.loseTemporalStore();
    const lostAt = performance.now();
    const figures = await verify(world, load);
    return { 'onboarded after s': Math.round((performance.now() - lostAt) / 1_000), ...figures };

    async function untilNotified({ organizationId }: LeadLoad, all: number): Promise<void> {
      const text =
        'SELECT count(*)::int AS count FROM notification WHERE organization_id = $1 AND delivered_at IS NOT NULL';
      const deadline = Date.now() + PATIENCE_MS;
      for (;;) {
        const { rows } = await world.database.query<{ count: number }>(text, [organizationId]);
        if (rows[0]?.count === all) return;
        if (Date.now() > deadline) throw new Error('The leads are not notified');
        await sleep(50);
      }
    }
  },
};
