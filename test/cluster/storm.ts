import { setTimeout as sleep } from 'node:timers/promises';
import { verify } from '../scenarios/chaos/checks/verify.ts';
import { LeadLoad } from '../scenarios/chaos/load/lead-load.ts';
import type { Random } from '../scenarios/chaos/random.ts';
import type { Scenario } from '../scenarios/chaos/scenario.ts';
import { SEPARATE } from './server/cluster.ts';

const LEADS = 160;
const PER_SECOND = 4;
const KILL_EVERY_MS = 2_500;

/** One process after the other is killed, in an order that nobody chose; each of them has its turn. */
export const storm: Scenario = {
  title: 'workers, relays, APIs and the services of Temporal are killed at random under load',
  inShort: true,
  async run({ world, random }) {
    const { processes } = world;
    const load = new LeadLoad(world);
    const victims = shuffled([...world.partNames(), ...Object.keys(SEPARATE)], random);
    const killing = (async () => {
      for (const victim of victims) {
        await sleep(KILL_EVERY_MS);
        processes.kill(victim);
      }
    })();
    await Promise.all([load.post({ count: LEADS, perSecond: PER_SECOND }), killing]);
    const { refused, cut, late, statuses } = load.report;
    return {
      kills: victims.length,
      ...{ refused, cut, late, 'answered 503': statuses[503] ?? 0 },
      ...(await verify(world, load)),
    };
  },
};

function shuffled(names: readonly string[], random: Random): string[] {
  const left = [...names];
  return names.flatMap(() => left.splice(random.between(0, left.length - 1), 1));
}
