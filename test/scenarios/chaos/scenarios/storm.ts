import { setTimeout as sleep } from 'node:timers/promises';
import { verify } from '../checks/verify.ts';
import { LeadLoad } from '../load/lead-load.ts';
import type { Scenario } from '../scenario.ts';
import { RELAYS, WORKERS } from '../world/world.ts';

const WORKER_DIES_EVERY_MS = 3_000;

export const storm: Scenario = {
  title: 'workers, the relay, Temporal and Postgres crash under load',
  inShort: true,
  async run({ world, random, scale }) {
    const { processes } = world;
    const load = new LeadLoad(world);
    const rate = { short: { count: 60, perSecond: 6 }, full: { count: 500, perSecond: 10 } }[scale];
    const durationMs = (rate.count / rate.perSecond) * 1_000;
    let isOver = false;
    let workersKilled = 0;
    const killWorkers = async () => {
      while (!isOver) {
        await sleep(WORKER_DIES_EVERY_MS);
        processes.kill(random.pick(WORKERS));
        workersKilled += 1;
      }
    };
    /** Parts of the load's duration. */
    const plan = [
      { at: 0.2, part: 'temporal' },
      { at: 0.4, part: 'postgres' },
      { at: 0.6, part: random.pick(RELAYS) },
      { at: 0.8, part: 'temporal' },
    ];
    const crashes = plan.map(async ({ at, part }) => {
      await sleep(durationMs * at);
      await processes.killAndAwait(part);
    });
    const posting = load.post(rate).finally(() => (isOver = true));
    await Promise.all([posting, killWorkers(), ...crashes]);
    const killed = { 'worker kills': workersKilled, 'other crashes': plan.length };
    return { ...killed, ...(await verify(world, load)) };
  },
};
