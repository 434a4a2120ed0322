import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import { createEndpoint } from '../../../src/webhooks/manage.ts';
import type { TestDatabase } from '../../support/database.ts';
import { takeIn, test } from '../../support/onboarding.ts';
import { startParts } from './parts.ts';
import { startReceivers } from './receivers.ts';

/** `npm run test:webhooks` has 2,000, as many as 20 a second need 100 s for. */
const EVENTS = Number(process.env['WEBHOOK_EVENTS'] ?? 300);
const PER_SECOND = 20;
const HEALTHY = 45;
const ORGANIZATION = 'org-storm';
const healthyName = (index: number) => `healthy-${index}`;

/** Writes events, so many a second, each in a transaction of its own. @returns when each was committed */
async function writeEvents({ pool }: TestDatabase, leadId: string, count: number): Promise<Map<string, number>> {
  const committed = new Map<string, number>();
  const startedAt = Date.now();
  const writing: Promise<unknown>[] = [];
  for (let i = 0; i < count; i += 1) {
    await sleep(Math.max(0, startedAt + (i * 1_000) / PER_SECOND - Date.now()));
    const id = randomUUID();
    const insert = pool.query(
      `INSERT INTO lead_event (id, lead_id, organization_id, type, data) VALUES ($1, $2, $3, 'score.calculated', $4)`,
      [id, leadId, ORGANIZATION, { score: i % 100, band: 'HOT', ruleVersion: 1, breakdown: [] }],
    );
    writing.push(insert.then(() => committed.set(id, Date.now())));
  }
  await Promise.all(writing);
  return committed;
}

async function makeEndpoint({ prisma }: TestDatabase, url: string) {
  const endpoint = { url, description: '', types: ['score.calculated' as const], includePersonalData: false };
  return prisma.$transaction((tx) => createEndpoint(tx, ORGANIZATION, endpoint));
}

const percentile = (values: number[], share: number) =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? NaN;

describe('webhook endpoints of one organization', () => {
  test(`45 get each of ${EVENTS} events, whatever five sick ones do`, async ({ database }) => {
    const { leadId } = await takeIn(database, { organizationId: ORGANIZATION });
    const inside = await startReceivers(() => ({ status: 200 }));
    const receivers = await startReceivers((name, count) => {
      if (name === 'hanging') return 'hang';
      if (name === 'every-third' && count % 3 === 0) return { status: 500 };
      if (name === 'gone') return { status: 410 };
      if (name === 'redirecting') return { status: 302, headers: { location: inside.urlOf('secret') } };
      return { status: 204 };
    });
    const down = await startReceivers(() => ({ status: 204 }));
    await down.close();
    const names = Array.from({ length: HEALTHY }, (_, i) => healthyName(i));
    const sick = ['hanging', 'every-third', 'gone', 'redirecting'];
    const ids = new Map<string, string>();
    for (const name of [...names, ...sick, 'down']) {
      const host = name === 'down' ? down : receivers;
      const { id, secret } = await makeEndpoint(database, host.urlOf(name));
      host.trust(name, secret);
      ids.set(name, id);
    }
    const parts = await startParts(database);
    const haveAll = async (count: number) => {
      for (const name of names) {
        await expect.poll(() => receivers.of(name).messages.size, { message: name, interval: 10 }).toBe(count);
      }
    };
    const first = await writeEvents(database, leadId, 1);
    await haveAll(1); // fifty runs begin, on processes that have done nothing yet
    const wokenAfterMs = Date.now() - Math.min(...first.values());
    const cpuBefore = await parts.cpuMs();
    const more = await writeEvents(database, leadId, EVENTS - 1);
    await haveAll(EVENTS);
    const committed = new Map([...first, ...more]);
    const all = [...committed.keys()].sort();
    const cpuAfter = await parts.cpuMs();
    const delays = names.flatMap((name) => {
      const { messages, faults } = receivers.of(name);
      expect([...messages.keys()].sort(), name).toEqual(all);
      expect(faults, name).toEqual([]);
      return [...messages]
        .flatMap(([id, { at }]) => at - (more.get(id) ?? NaN))
        .filter((delay) => !Number.isNaN(delay));
    });
    for (const name of names) expect(receivers.of(name).order, name).toEqual(receivers.of(names[0] ?? '').order);
    const cpu = [...cpuAfter].map(([part, ms]) => {
      return `${part} ${((ms - (cpuBefore.get(part) ?? 0)) / (EVENTS * HEALTHY)).toFixed(2)}`;
    });
    console.log(
      `${EVENTS * HEALTHY} deliveries: p50 ${percentile(delays, 0.5)} ms, p99 ${percentile(delays, 0.99)} ms, ` +
        `longest ${percentile(delays, 1)} ms, the first event ${wokenAfterMs} ms; CPU ms for each: ${cpu.join(', ')}`,
    );

    const stateOf = async (name: string) =>
      database.prisma.webhookEndpoint.findUniqueOrThrow({ where: { id: ids.get(name) ?? '' } });
    expect((await stateOf('gone')).paused).toBe('gone');
    expect(inside.connections()).toBe(0);
    for (const name of ['hanging', 'redirecting', 'down']) {
      await expect.poll(async () => (await stateOf(name)).failures, { message: name }).toBeGreaterThan(0);
    }

    await down.open();
    const dueNow = async () => {
      await database.pool.query('UPDATE webhook_endpoint SET next_at = now() WHERE paused IS NULL');
      await database.pool.query('UPDATE webhook_delivery SET next_at = now()');
      return [down.of('down'), receivers.of('every-third')].map(({ messages }) => messages.size);
    };
    await expect.poll(dueNow, { interval: 1_000 }).toEqual([EVENTS, EVENTS]);
    expect([...down.of('down').messages.keys()].sort()).toEqual(all);
  });

  test('get every event although worker, relay and Temporal are killed, and Temporal’s store is lost', async ({
    database,
  }) => {
    await database.pool.query('DELETE FROM webhook_endpoint');
    const { leadId } = await takeIn(database, { organizationId: ORGANIZATION });
    const receivers = await startReceivers((_, count) => ({ status: count % 50 === 0 ? 503 : 204 }));
    const names = Array.from({ length: 5 }, (_, i) => healthyName(i));
    for (const name of names) {
      const { secret } = await makeEndpoint(database, receivers.urlOf(name));
      receivers.trust(name, secret);
    }
    const parts = await startParts(database);
    const writing = writeEvents(database, leadId, EVENTS);
    await expect.poll(() => receivers.of(names[0] ?? '').messages.size).toBeGreaterThan(5);
    await parts.killWebhookWorker();
    await sleep(1_000);
    await parts.killRelay();
    await sleep(1_000);
    await parts.loseTemporal();
    const committed = [...(await writing).keys()].sort();
    const retrySoon = () => database.pool.query('UPDATE webhook_delivery SET next_at = now()');
    for (const name of names) {
      const count = async () => {
        await retrySoon();
        return receivers.of(name).messages.size;
      };
      await expect.poll(count, { message: name, interval: 500 }).toBe(EVENTS);
      expect([...receivers.of(name).messages.keys()].sort()).toEqual(committed);
      expect(receivers.of(name).faults).toEqual([]);
    }
    console.log(`repeats: ${names.map((name) => receivers.of(name).repeats).join(', ')}`);
  });
});
