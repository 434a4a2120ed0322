import { setTimeout as sleep } from 'node:timers/promises';
import { verify } from '../checks/verify.ts';
import { LeadLoad } from '../load/lead-load.ts';
import type { Scenario } from '../scenario.ts';

const LATENCY_MS = 40;
const CUT_EVERY_MS = 500;

export const badNetwork: Scenario = {
  title: 'the network is slow, and cuts connections again and again',
  inShort: false,
  async run({ world, random }) {
    const networks = [...world.networks('postgres'), ...world.networks('temporal')];
    for (const network of networks) network.setLatency(LATENCY_MS);
    const load = new LeadLoad(world);
    const over = new AbortController();
    let cuts = 0;
    const cutting = (async () => {
      while (!over.signal.aborted) {
        await sleep(CUT_EVERY_MS);
        networks[random.between(0, networks.length - 1)]?.reset();
        cuts += 1;
      }
    })();
    await load.post({ count: 100, perSecond: 5 });
    over.abort();
    await cutting;
    for (const network of networks) network.setLatency(0);
    return { 'connections cut': cuts, ...(await verify(world, load)) };
  },
};
