import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Lead } from '../../../../src/leads/lead.ts';
import { RETENTION_SCHEDULE_ID } from '../../../../workflows/retention-contract.ts';
import { makeKey } from '../../../support/keyed-api.ts';
import { age } from '../../../personal-data/retention/old-leads.ts';
import { ERROR_PATHS, type Known } from './error-paths.ts';
import { startFailingSources } from './failing-sources.ts';
import { send, type Stage } from './stage.ts';

/** @returns what is there now, and a lead that was onboarded, changed, exported and sent again */
export async function goWell({ ask, takeIn, settled, database }: Stage): Promise<{ known: Known; leadId: string }> {
  const { person, id: leadId } = await takeIn('an onboarding that goes well');
  const other = await takeIn('another one');
  for (const id of [leadId, other.id]) await settled(id);
  expect(await ask(200, send('GET', `/api/leads/${leadId}/export`), person)).toContain(person.token);
  await ask(200, send('POST', '/api/leads', { ...person.lead, source: 'EVENT' }), person);
  const change = { name: `${person.lead.name} Souza`, assignedTo: 'user-9', priority: 'HIGH' };
  await ask(200, send('PATCH', `/api/leads/${leadId}`, change), person);
  const key = { 'idempotency-key': `of ${person.lead.email}` };
  await ask(200, send('POST', '/api/leads', person.lead, key), person);
  await ask(422, send('POST', '/api/leads', { ...person.lead, name: person.token }, key), person);
  const readOnly = await makeKey(database, { scopes: ['leads:read'] });
  return { leadId, known: { leadId: other.id, email: person.lead.email, readOnly } };
}

export async function takeErrorPaths({ ask, people }: Stage, known: Known): Promise<void> {
  for (const [what, status, call] of ERROR_PATHS) {
    const person = people.add(what);
    await ask(status, call(person, known), person);
  }
}

/** A receiver that answers with what it knows of the person. */
export async function withFailingReceiver({ ask, takeIn, settled, people, world: { receiver } }: Stage): Promise<void> {
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

/** An endpoint of the organization's that is to be told of persons: it gets their data, and throws them back at us. */
export async function withEndpoint({ ask, takeIn, settled, people, world: { receiver } }: Stage): Promise<void> {
  const owner = people.add('the owner of an endpoint');
  const wanted = { url: receiver.url, includePersonalData: true, description: `CRM of ${owner.token}` };
  const made = JSON.parse(await ask(201, send('POST', '/api/webhooks', wanted), owner)) as Record<string, string>;
  const path = `/api/webhooks/${made['id']}`;
  receiver.trust(made['secret'] ?? '');
  const toldOf = (token: string) => () => receiver.received.some(({ event }) => JSON.stringify(event).includes(token));

  const { person, id } = await takeIn('an endpoint that is told of persons');
  await ask(200, send('PATCH', `/api/leads/${id}`, { company: `${person.token} SA` }), person);
  await expect.poll(toldOf(`${person.token} SA`)).toBe(true);
  await ask(200, send('POST', `/api/leads/${id}/archive`), person);
  expect(await ask(200, send('GET', `/api/leads?archived=true&q=${person.token}`), person)).toContain(id);
  const { organizationId } = person.lead;
  const leads = [person, people.add('a batch')].map(({ lead }) => ({ ...lead, organizationId: undefined }));
  await ask(200, send('POST', '/api/leads/batch', { organizationId, leads: [...leads, {}] }), person);
  await expect.poll(() => ask(200, send('GET', '/api/events?types=lead.unarchived'), person)).toContain(id);
  await settled(id);

  const refused = people.add('an endpoint that throws persons back');
  receiver.reactAlways({ status: 500, body: JSON.stringify(refused.lead) });
  const text = await ask(201, send('POST', '/api/leads', refused.lead), refused);
  await settled((JSON.parse(text) as Lead).id);
  await expect.poll(() => ask(200, send('GET', `${path}/attempts`), owner)).toMatch(/"status":500/);
  receiver.reactAlways({ status: 204 });
  await ask(204, send('DELETE', path), owner);

  const inbox = { organizationId, userId: `user of ${owner.token}` };
  const stream = JSON.parse(await ask(201, send('POST', '/api/notifications/stream/token', inbox), owner)) as object;
  const query = new URLSearchParams({ userId: 'another user', ...stream }).toString();
  await ask(400, send('GET', `/api/notifications/stream?${query}`), owner);
}

export async function withoutTemporal({ ask, takeIn, settled, world }: Stage): Promise<void> {
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

export async function withoutPostgres({ ask, takeIn, settled, people, world }: Stage): Promise<void> {
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

const REFUSE_STEPS = `
  CREATE FUNCTION quote_lead() RETURNS trigger LANGUAGE plpgsql AS $$
  DECLARE person lead;
  BEGIN
    SELECT * INTO person FROM lead WHERE id = NEW.lead_id;
    IF person.source = 'ADS' THEN
      RAISE EXCEPTION E'no % (%)\\n    at % (%)', person.name, person.email, person.name, person.phone;
    END IF;
    RETURN NEW;
  END $$;
  CREATE TRIGGER refuse_step BEFORE UPDATE ON onboarding FOR EACH ROW EXECUTE FUNCTION quote_lead();`;

/** Errors of Postgres quote values; a stack begins with the error's text, and a line of that may look like a frame. */
export async function withPostgresThatQuotes({ ask, takeIn, settled, people, world, database }: Stage): Promise<void> {
  const { person, id } = await takeIn('a change that Postgres refuses, quoting it', { source: 'ADS' });
  await settled(id);
  const quote = "E'no % (%)\\n    at % (%)', NEW.name, NEW.email, NEW.name, NEW.phone";
  const refuse = (what: string, source: string) => `CREATE TRIGGER refuse_${what} BEFORE ${what} ON lead FOR EACH ROW
    WHEN (NEW.source = '${source}') EXECUTE FUNCTION quote_person();`;
  await database.pool.query(`
    CREATE FUNCTION quote_person() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION ${quote}; END $$;
    ${refuse('insert', 'OTHER')} ${refuse('update', 'ADS')}
    ${REFUSE_STEPS}`);
  await ask(500, send('PATCH', `/api/leads/${id}`, { name: `${person.token} Z` }), person);
  const refused = people.add('an intake that Postgres refuses, quoting it');
  await ask(500, send('POST', '/api/leads', { ...refused.lead, source: 'OTHER' }), refused);
  const step = await takeIn('a step that Postgres refuses, quoting it', { source: 'ADS' });
  const failed = () =>
    world.processes.worker.log().some(({ msg, leadId }) => msg === 'step failed' && leadId === step.id);
  await expect.poll(failed).toBe(true);
  await database.pool.query('DROP FUNCTION quote_person CASCADE; DROP FUNCTION quote_lead CASCADE');
  await settled(step.id);
}

/** @returns the log of the worker whose sources fail */
export async function withFailingSources({ takeIn, settled, world, database }: Stage): Promise<() => string> {
  world.processes.leadWorker.kill('SIGTERM');
  await world.processes.leadWorker.exited;
  const log = await startFailingSources(database, `127.0.0.1:${world.temporal.port}`);
  const { id } = await takeIn('sources that fail');
  await settled(id);
  const { onboardingState } = await database.prisma.lead.findUniqueOrThrow({ where: { id } });
  expect(onboardingState).toBe('PARTIAL');
  return log;
}

export async function erase({ ask, takeIn, settled, world, database }: Stage): Promise<void> {
  const asked = await takeIn('an erasure');
  await ask(204, send('DELETE', `/api/leads/${asked.id}`), asked.person);
  const old = await takeIn('the end of retention');
  await settled(old.id);
  await age(database, [old.id], 31);
  await world.temporal.client.schedule.getHandle(RETENTION_SCHEDULE_ID).trigger();
  const left = () => database.prisma.lead.count({ where: { id: old.id } });
  await expect.poll(left).toBe(0);
}
