import { verify } from '../checks/verify.ts';
import { LeadLoad } from '../load/lead-load.ts';
import type { Scenario } from '../scenario.ts';
import { within } from '../../../support/patience.ts';
import type { Trap } from '../world/fault-proxy.ts';
import { APIS, RELAYS, type ServerName, type World } from '../world/world.ts';

/** A moment on the way of a lead, known by what is just being said on the wire. */
interface KillPoint {
  title: string;
  victims: readonly string[];
  on: ServerName;
  trap: Trap;
  /** The API cannot reach Temporal meanwhile, so that the relay has to start the runs. */
  relayOnly?: boolean;
  inShort?: boolean;
}

const INTAKE = 'intake_group';
const MARK = 'complete_order';

const KILL_POINTS: KillPoint[] = [
  {
    title: 'an API process is killed before the commit of a lead',
    victims: APIS,
    on: 'postgres',
    trap: { from: 'client', bytes: INTAKE },
  },
  {
    title: 'an API process is killed after the commit of a lead, before it answers and before the start of the run',
    victims: APIS,
    on: 'postgres',
    trap: { from: 'server', after: INTAKE, bytes: 'created' },
    inShort: true,
  },
  {
    title: 'an API process is killed after it has answered, on its way to the start of the run',
    victims: APIS,
    on: 'temporal',
    trap: { from: 'client', bytes: 'lead-onboarding-' },
  },
  {
    title: 'an API process is killed after the start of a run, before it marks the order',
    victims: APIS,
    on: 'postgres',
    trap: { from: 'client', bytes: MARK },
  },
  {
    title: 'a relay is killed with an order in hand, on its way to the start of the run',
    victims: RELAYS,
    on: 'temporal',
    trap: { from: 'client', bytes: 'lead-onboarding-' },
    relayOnly: true,
  },
  {
    title: 'a relay is killed after the start of a run, before it marks the order',
    victims: RELAYS,
    on: 'postgres',
    trap: { from: 'client', bytes: MARK },
    relayOnly: true,
    inShort: true,
  },
  {
    title: 'a worker is killed after a notification is committed, before Temporal hears of it',
    victims: ['worker:notification'],
    on: 'postgres',
    trap: { from: 'server', after: 'notify_assignee', bytes: 'SELECT 1' }, // told after the commit
  },
  {
    title: 'a worker is killed with a score committed, before Temporal hears of it',
    victims: ['worker:lead'],
    on: 'postgres',
    trap: { from: 'server', after: 'record_score', bytes: 'SELECT 1' },
    inShort: true,
  },
];

export const killPoints: Scenario[] = KILL_POINTS.map(
  ({ title, victims, on, trap, relayOnly = false, inShort = false }) => ({
    title,
    inShort,
    async run({ world }) {
      const load = new LeadLoad(world);
      await cutApisOff(world, relayOnly);
      // The first of the victims to come to the point is killed there.
      const sprung = Promise.any(victims.map((part) => killAtTrap(world, part, on, trap)));
      await Promise.all([load.post({ count: 5, perSecond: 20 }), within(sprung, 'No process came to the point')]);
      await cutApisOff(world, false);
      const figures = await verify(world, load);
      world.disarm();
      return { 'killed at the point': 1, ...figures };
    },
  }),
);

async function killAtTrap(world: World, part: string, on: ServerName, trap: Trap): Promise<void> {
  await world.network(part, on).trap(trap);
  await world.processes.killAndAwait(part);
}

async function cutApisOff(world: World, isOff: boolean): Promise<void> {
  await Promise.all(APIS.map((api) => world.network(api, 'temporal').set(isOff ? 'down' : 'pass')));
}

export const deliveredBeforeMark: Scenario = {
  title: 'a worker is killed after a notification was delivered outside, before it marks that',
  inShort: true,
  async run({ world }) {
    const load = new LeadLoad(world);
    const killed = new Promise<void>((resolve, reject) => {
      world.sink.onNextDelivery(load.organizationId, () => {
        world.processes.killAndAwait('worker:webhook').then(resolve, reject);
      });
    });
    await Promise.all([load.post({ count: 3, perSecond: 20 }), within(killed, 'Nothing was delivered')]);
    const figures = await verify(world, load);
    if (Number(figures['repeated deliveries']) < 1)
      throw new Error('The delivery that was not marked did not come again');
    return { 'killed at the point': 1, ...figures };
  },
};
