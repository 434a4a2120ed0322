import { setTimeout as sleep } from 'node:timers/promises';
import { verify } from '../checks/verify.ts';
import { LeadLoad } from '../load/lead-load.ts';
import type { Scenario } from '../scenario.ts';
import { PATIENCE_MS, within } from '../../../support/patience.ts';
import type { NetworkState, Trap } from '../world/fault-proxy.ts';
import { APIS, type ServerName, type World } from '../world/world.ts';

/** Longer than an activity may take: what the frozen worker had in hand is given to another one. */
const FROZEN_MS = 40_000;
/** What they had in hand comes late then. */
const AFTERMATH_MS = 5_000;

export const frozenWorker: Scenario = {
  title: 'workers are frozen with work in hand, and thawed after others have done it',
  inShort: false,
  async run({ world }) {
    const { processes, sink } = world;
    await world.add('worker:lead-2', 'worker', ['--task-queue', 'lead']);
    await world.add('worker:webhook-2', 'worker', ['--task-queue', 'webhook']);
    const load = new LeadLoad(world);
    const delivererFrozen = new Promise<void>((resolve) => {
      sink.onNextDelivery(load.organizationId, () => {
        processes.freeze('worker:webhook');
        resolve();
      });
    });
    const scored = { from: 'server', after: 'record_score', bytes: 'SELECT 1' } as const;
    const scorerFrozen = freezeAt(world, 'worker:lead', 'postgres', scored);
    await Promise.all([load.post({ count: 60, perSecond: 10 }), delivererFrozen, scorerFrozen]);
    await sleep(FROZEN_MS);
    processes.thaw('worker:webhook');
    processes.thaw('worker:lead');
    await sleep(AFTERMATH_MS);
    return { 'frozen s': FROZEN_MS / 1_000, ...(await verify(world, load)) };
  },
};

export const frozenRelay: Scenario = {
  title: 'a relay is frozen with orders in hand, and thawed after its lease',
  inShort: false,
  async run({ world }) {
    const load = new LeadLoad(world);
    const setApis = (state: NetworkState) => Promise.all(APIS.map((api) => world.network(api, 'temporal').set(state)));
    await setApis('down'); // every start is the relays'
    const frozen = freezeAt(world, 'relay-1', 'temporal', { from: 'client', bytes: 'lead-onboarding-' });
    await Promise.all([load.post({ count: 60, perSecond: 20 }), frozen]);
    await setApis('pass');
    await sleep(FROZEN_MS);
    world.processes.thaw('relay-1');
    await sleep(AFTERMATH_MS);
    return { 'frozen s': FROZEN_MS / 1_000, ...(await verify(world, load)) };
  },
};

/** Freezes a process at a point on the way of a lead. @throws when it does not come there */
async function freezeAt(world: World, part: string, on: ServerName, trap: Trap): Promise<void> {
  await within(world.network(part, on).trap(trap), `${part} does not come to the point`);
  world.processes.freeze(part);
}

const SILENT_MS = 8_000;

export const silentPostgres: Scenario = {
  title: 'Postgres is behind a black hole under load, and comes back',
  inShort: false,
  async run({ world }) {
    const load = new LeadLoad(world);
    const posting = load.post({ count: 200, perSecond: 10 });
    await sleep(4_000);
    await Promise.all(world.networks('postgres').map((network) => network.set('black-hole')));
    await sleep(SILENT_MS);
    await Promise.all(world.networks('postgres').map((network) => network.set('pass')));
    const backAt = performance.now();
    await untilAnswers(world.apis, backAt);
    const usableAfterMs = performance.now() - backAt;
    await posting;
    return { 'usable again after ms': Math.round(usableAfterMs), ...(await verify(world, load)) };
  },
};

async function untilAnswers(apis: readonly string[], since: number): Promise<void> {
  for (const api of apis) {
    while (
      !(await fetch(`${api}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      ))
    ) {
      if (performance.now() - since > PATIENCE_MS) throw new Error(`${api} is not ready`);
      await sleep(50);
    }
  }
}
