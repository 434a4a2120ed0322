import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { verify } from '../checks/verify.ts';
import { LeadLoad } from '../load/lead-load.ts';
import type { Scenario } from '../scenario.ts';
import { APIS, type World } from '../world/world.ts';
import type { NetworkState } from '../world/fault-proxy.ts';
import { onboardingWorkflowId } from '../../../../workflows/contract.ts';

const setApis = (world: World, state: NetworkState) =>
  Promise.all(APIS.map((api) => world.network(api, 'temporal').set(state)));

export const fourRelays: Scenario = {
  title: 'four relays work on the same outbox at once',
  inShort: false,
  async run({ world }) {
    await world.add('relay-3', 'relay');
    await world.add('relay-4', 'relay');
    const load = new LeadLoad(world);
    await setApis(world, 'down'); // every start is the relays'
    await load.post({ count: 200, perSecond: 50 });
    const figures = await verify(world, load);
    await setApis(world, 'pass');
    return figures;
  },
};

export const poisonRow: Scenario = {
  title: 'an order that can never be carried out stands in the outbox',
  inShort: true,
  async run({ world }) {
    const poisonId = randomUUID();
    const poisonedOrganization = `poisoned-${poisonId}`;
    await world.database.query(
      `INSERT INTO outbox (id, lead_id, organization_id, kind, payload) VALUES ($1, $1, $2, 'START_ONBOARDING', '{"round":0}')`,
      [poisonId, poisonedOrganization],
    );
    const load = new LeadLoad(world);
    await setApis(world, 'down');
    await load.post({ count: 10, perSecond: 20 });
    const figures = await verify(world, load);
    await setApis(world, 'pass');
    const { rows } = await world.database.query<Record<string, unknown>>(
      'SELECT status, attempts, last_error FROM outbox WHERE id = $1',
      [poisonId],
    );
    expect(rows).toEqual([
      { status: 'DEAD', attempts: 1, last_error: expect.stringContaining('payload.round') as string },
    ]);
    await world.database.query('DELETE FROM outbox WHERE id = $1', [poisonId]);
    return { 'attempts at the poison': 1, ...figures };
  },
};

export const removedRun: Scenario = {
  title: 'a finished run is removed from Temporal and its order is queued again',
  inShort: true,
  async run({ world }) {
    const load = new LeadLoad(world);
    await load.postOne();
    await verify(world, load);
    const [lead] = load.truth.read();
    if (!lead) throw new Error('No lead was acknowledged');
    const { workflowService } = world.temporal.connection;
    const workflowExecution = { workflowId: onboardingWorkflowId(lead.id) };
    await workflowService.deleteWorkflowExecution({ namespace: 'default', workflowExecution });
    await expect
      .poll(() =>
        world.temporal.workflow
          .getHandle(workflowExecution.workflowId)
          .describe()
          .catch(() => 'removed'),
      )
      .toBe('removed');

    const payload = {
      round: 1,
      enrichmentDelayMs: 100,
      priority: 'NORMAL',
      source: 'WEBSITE',
      requestId: randomUUID(),
      again: true,
    };
    await world.database.query(
      `INSERT INTO outbox (id, lead_id, organization_id, kind, payload) VALUES ($1, $2, $3, 'START_ONBOARDING', $4)`,
      [randomUUID(), lead.id, load.organizationId, JSON.stringify(payload)],
    );
    return verify(world, load);
  },
};
