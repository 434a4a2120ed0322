import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import type { Lead } from '../../src/leads/lead.ts';
import { RETENTION_SCHEDULE_ID, TASK_QUEUES } from '../../workflows/contract.ts';
import type { TestDatabase } from '../support/database.ts';
import { makeKey, test } from '../support/keyed-api.ts';
import { age } from '../retention/old-leads.ts';
import { type Call, ERROR_PATHS } from './canaries/error-paths.ts';
import { startFailingSources } from './canaries/failing-sources.ts';
import { startWorld, type World } from './canaries/world.ts';
import { createPerson, type Person, tracesIn } from './person.ts';

/** Everybody whose data was sent, by what happened to them. */
class People {
  readonly all = new Map<string, Person>();

  add(what: string): Person {
    const person = createPerson();
    this.all.set(what, person);
    return person;
  }

  /** What of them is in a text. */
  foundIn(text: string): string[] {
    const folded = text.toLowerCase();
    return [...this.all].flatMap(([what, person]) => tracesIn(folded, person).map((trace) => `${what}: ${trace}`));
  }
}

const send = (method: string, path: string, body?: object): Call => ({
  ...{ method, path },
  ...(body && { body, headers: { 'content-type': 'application/json' } }),
});

/** Every place that is not Postgres, with what it holds. */
async function readPlaces({ temporal, processes, metricsUrls }: World, sourcesLog: () => string) {
  const metrics = await Promise.all(
    metricsUrls.map(async (url) =>
      fetch(url).then(
        (a) => a.text(),
        () => '',
      ),
    ),
  );
  return {
    'log of the API': processes.api.output(),
    'log of the relay': processes.relay.output(),
    'log of the workflow and notify worker': processes.worker.output(),
    'log of the lead worker': processes.leadWorker.output() + sourcesLog(),
    'log of Temporal': temporal.log(),
    metrics: metrics.join('\n'),
    histories: (await temporal.histories()).join('\n'),
    'search attributes, memos and descriptions': await temporal.visibility(),
    'database file of Temporal': await temporal.files(),
  };
}

describe('the data of persons', () => {
  test('is in Postgres alone, whatever goes well or wrong', { timeout: 300_000 }, async ({ database }) => {
    const people = new People();
    const world = await startWorld(database);
    const ask = async (status: number, call: Call, person: Person) => {
      const answer = await world.call(call, person);
      expect(answer.status, `${call.method} ${call.path} ${answer.text.slice(0, 300)}`).toBe(status);
      return answer.text;
    };
    /** Takes somebody in. @returns the id of their lead */
    const takeIn = async (what: string, change: object = {}) => {
      const person = people.add(what);
      const text = await ask(201, send('POST', '/api/leads', { ...person.lead, ...change }), person);
      return { person, id: (JSON.parse(text) as Lead).id };
    };
    const settled = (id: string) =>
      expect
        .poll(() => database.prisma.lead.findUnique({ where: { id } }).then((lead) => lead?.onboardingState), {
          timeout: 60_000,
        })
        .toMatch(/COMPLETED|PARTIAL/);

    const { happy, known } = await goWell();
    for (const [what, status, call] of ERROR_PATHS) {
      const person = people.add(what);
      await ask(status, call(person, known), person);
    }
    await withFailingReceiver();
    await withoutTemporal();
    await withoutPostgres();
    await withPostgresThatQuotes();
    const sourcesLog = await withFailingSources();
    await erase();
    await quiet(world, database);

    expect(people.all.size).toBeGreaterThan(30 + 10);
    const places = await readPlaces(world, sourcesLog);
    for (const [place, text] of Object.entries(places)) {
      expect.soft(people.foundIn(text), place).toEqual([]);
    }
    expect(places['database file of Temporal']).toContain(happy.id);
    expect(places.histories).toContain(happy.id);
    expect(places['search attributes, memos and descriptions']).toContain(happy.id);

    async function goWell() {
      const happy = await takeIn('an onboarding that goes well');
      const other = await takeIn('another one');
      for (const { id } of [happy, other]) await settled(id);
      expect(await ask(200, send('GET', `/api/leads/${happy.id}/export`), happy.person)).toContain(happy.person.token);
      await ask(200, send('POST', '/api/leads', { ...happy.person.lead, source: 'EVENT' }), happy.person);
      const change = { name: `${happy.person.lead.name} Souza`, assignedTo: 'user-9', priority: 'HIGH' };
      await ask(200, send('PATCH', `/api/leads/${happy.id}`, change), happy.person);
      const keyed = send('POST', '/api/leads', happy.person.lead);
      const withKey = { ...keyed, headers: { ...keyed.headers, 'idempotency-key': `of ${happy.person.lead.email}` } };
      await ask(200, withKey, happy.person);
      await ask(422, { ...withKey, body: { ...happy.person.lead, name: happy.person.token } }, happy.person);
      const readOnly = await makeKey(database, { scopes: ['leads:read'] });
      return { happy, known: { leadId: other.id, email: happy.person.lead.email, readOnly } };
    }

    async function withFailingReceiver() {
      const { receiver } = world;
      for (const status of [500, 503, 302, 400]) {
        const person = people.add(`a receiver that answers ${status}`);
        const headers = { 'retry-after': person.token, location: `${receiver.url}?email=${person.lead.email}` };
        receiver.reactOnce({ status, headers, body: JSON.stringify(person.lead) });
        const text = await ask(201, send('POST', '/api/leads', person.lead), person);
        await settled((JSON.parse(text) as Lead).id);
      }
      receiver.reactOnce('cut');
      await settled((await takeIn('a receiver that hangs up')).id);
    }

    async function withoutTemporal() {
      const before = await takeIn('an erasure without Temporal');
      await settled(before.id);
      await world.toTemporal.close();
      const { person, id } = await takeIn('a start without Temporal');
      await ask(200, send('PATCH', `/api/leads/${id}`, { assignedTo: 'user-8', name: `${person.token} X` }), person);
      await ask(202, send('POST', `/api/leads/${id}/onboarding/enrich-now`), person);
      await ask(200, send('GET', `/api/leads/${id}/onboarding`), person);
      await ask(204, send('DELETE', `/api/leads/${before.id}`), before.person);
      await sleep(3_000); // for relay and API to fail, and to say so
      await world.toTemporal.reopen();
      await settled(id);
    }

    async function withoutPostgres() {
      const { person, id } = await takeIn('a change without Postgres');
      await settled(id);
      await world.toPostgres.close();
      const nobody = people.add('an intake without Postgres');
      await ask(503, send('POST', '/api/leads', nobody.lead), nobody);
      await ask(503, send('PATCH', `/api/leads/${id}`, { name: `${person.token} Y` }), person);
      await ask(503, send('GET', `/api/leads?q=${person.token}`), person);
      await world.toPostgres.reopen();
      await expect.poll(async () => (await world.processes.api.readyz()).status).toBe(200);
    }

    /** Errors of Postgres quote values, and a stack that quotes the error could take one of them for a frame. */
    async function withPostgresThatQuotes() {
      const { person, id } = await takeIn('a change that Postgres refuses, quoting it', { source: 'ADS' });
      await settled(id);
      const text = "E'no % (%)\\n    at % (%)', NEW.name, NEW.email, NEW.name, NEW.phone";
      await database.pool.query(`
        CREATE FUNCTION quote_person() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION ${text}; END $$;
        CREATE TRIGGER refuse_insert BEFORE INSERT ON lead FOR EACH ROW WHEN (NEW.source = 'OTHER') EXECUTE FUNCTION quote_person();
        CREATE TRIGGER refuse_update BEFORE UPDATE ON lead FOR EACH ROW WHEN (NEW.source = 'ADS') EXECUTE FUNCTION quote_person();`);
      await ask(500, send('PATCH', `/api/leads/${id}`, { name: `${person.token} Z` }), person);
      const refused = people.add('an intake that Postgres refuses, quoting it');
      await ask(500, send('POST', '/api/leads', { ...refused.lead, source: 'OTHER' }), refused);
      const step = await takeIn('a step that Postgres refuses, quoting it', { source: 'ADS' });
      await expect.poll(() => world.processes.worker.output(), { timeout: 30_000 }).toContain('step failed');
      await database.pool.query('DROP FUNCTION quote_person CASCADE');
      await settled(step.id);
    }

    async function withFailingSources() {
      world.processes.leadWorker.kill('SIGTERM');
      await world.processes.leadWorker.exited;
      const log = await startFailingSources(database, `127.0.0.1:${world.temporal.port}`);
      await settled((await takeIn('sources that fail')).id);
      return log;
    }

    async function erase() {
      const asked = await takeIn('an erasure');
      await ask(204, send('DELETE', `/api/leads/${asked.id}`), asked.person);
      const old = await takeIn('the end of retention');
      await settled(old.id);
      await age(database, [old.id], 31);
      await world.temporal.client.schedule.getHandle(RETENTION_SCHEDULE_ID).trigger();
      await expect.poll(() => database.prisma.lead.count({ where: { id: old.id } }), { timeout: 60_000 }).toBe(0);
    }

    // What follows shows that a trace would have been found in each of the places.
    const planted = people.add('planted');
    const workflowId = `of-${planted.token}`;
    await world.temporal.client.workflow.start(planted.token, {
      taskQueue: TASK_QUEUES.onboarding,
      workflowId,
      args: [planted.lead],
      memo: { name: planted.lead.name },
    });
    const marked = { 'x-request-id': planted.token, 'content-type': 'application/json' };
    const lead = people.add('a request whose id is a trace').lead;
    const text = await ask(201, { ...send('POST', '/api/leads', lead), headers: marked }, planted);
    const change = send('PATCH', `/api/leads/${(JSON.parse(text) as Lead).id}`, { assignedTo: 'user-7' });
    await ask(200, { ...change, headers: marked }, planted);
    await quiet(world, database, [workflowId]);
    const found = await readPlaces(world, sourcesLog);
    for (const [place, text] of Object.entries(found)) expect.soft(people.foundIn(text), place).not.toEqual([]);
  });
});

/** Waits until nothing is left to do. */
async function quiet({ temporal }: World, { prisma }: TestDatabase, but: string[] = []): Promise<void> {
  await expect.poll(() => prisma.outbox.count(), { timeout: 60_000 }).toBe(0);
  const running = async () => {
    const ids: string[] = [];
    for await (const { workflowId } of temporal.client.workflow.list({ query: "ExecutionStatus='Running'" }))
      if (!workflowId.startsWith('temporal-sys-')) ids.push(workflowId);
    return ids;
  };
  await expect.poll(running, { timeout: 60_000 }).toEqual(but);
}
