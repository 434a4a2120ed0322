import { describe, expect } from 'vitest';
import type { Lead } from '../../../src/leads/lead.ts';
import { TASK_QUEUES } from '../../../workflows/contract.ts';
import { test } from '../../support/keyed-api.ts';
import { ERROR_PATHS } from './canaries/error-paths.ts';
import { readPlaces } from './canaries/places.ts';
import * as scenarios from './canaries/scenarios.ts';
import { openStage, send, type Stage } from './canaries/stage.ts';

describe('the data of persons', () => {
  test('is in Postgres alone, whatever goes well or wrong', async ({ database }) => {
    const stage = await openStage(database);
    const { people, world, quiet } = stage;
    const { known, leadId } = await scenarios.goWell(stage);
    await scenarios.takeErrorPaths(stage, known);
    await scenarios.withFailingReceiver(stage);
    await scenarios.withEndpoint(stage);
    await scenarios.withoutTemporal(stage);
    await scenarios.withoutPostgres(stage);
    await scenarios.withPostgresThatQuotes(stage);
    const sourcesLog = await scenarios.withFailingSources(stage);
    await scenarios.erase(stage);
    await quiet();

    expect(ERROR_PATHS.length).toBeGreaterThanOrEqual(30);
    expect(people.size).toBeGreaterThan(ERROR_PATHS.length + 10);
    const places = await readPlaces(world, sourcesLog);
    for (const [place, text] of Object.entries(places)) expect.soft(people.foundIn(text), place).toEqual([]);
    for (const [place, text] of Object.entries(places)) {
      if (place !== 'metrics') expect.soft(text, place).toContain(leadId); // it is the place, and was read whole
    }

    const { rows: attempts } = await database.pool.query<object>('SELECT * FROM step_attempt');
    expect(attempts.length).toBeGreaterThan(10);
    expect(people.foundIn(JSON.stringify(attempts))).toEqual([]);

    const planted = await plantTraces(stage);
    await quiet(planted);
    for (const [place, text] of Object.entries(await readPlaces(world, sourcesLog))) {
      expect.soft(people.foundIn(text), place).not.toEqual([]);
    }
  });
});

/**
 * Leaves traces of a person in each of the places, so that it is seen that they would be found: with a workflow whose
 * type, id, input and memo are theirs, and with requests under an id of theirs.
 * @returns the id of the run, which goes on
 */
async function plantTraces({ people, ask, world }: Stage): Promise<string> {
  const { token, lead } = people.add('planted');
  const workflowId = `of-${token}`;
  const options = { taskQueue: TASK_QUEUES.onboarding, workflowId, args: [lead], memo: { name: lead.name } };
  await world.temporal.client.workflow.start(token, options);
  const marked = people.add('a lead whose request has a trace for an id');
  const requestId = { 'x-request-id': token };
  const text = await ask(201, send('POST', '/api/leads', marked.lead, requestId), marked);
  const change = send('PATCH', `/api/leads/${(JSON.parse(text) as Lead).id}`, { assignedTo: 'user-7' }, requestId);
  await ask(200, change, marked);
  return workflowId;
}
