import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished } from 'vitest';
import { createPool } from '../../src/db/pool.ts';
import { createRelayWaker } from '../../src/outbox/wake.ts';
import type { Lead } from '../../src/leads/lead.ts';
import { createTestApi, newLead, test } from '../support/api.ts';
import { freePort } from '../../src/local/ports.ts';
import { recordStatements } from '../support/statements.ts';

describe('waking relays', () => {
  test('says so once in a while, however often it is called, and once more after the last call', async ({
    database,
  }) => {
    const statements = recordStatements();
    const said = () => statements.filter(({ text }) => text.startsWith('NOTIFY')).length;
    const waker = createRelayWaker(database.pool);
    for (let i = 0; i < 100; i += 1) waker.wake();
    await sleep(20);
    waker.wake();
    await waker.idle();
    expect(said()).toBe(2);
    waker.wake();
    await waker.idle();
    expect(said()).toBe(3);
  });

  test('minds no database that is away', async () => {
    const connectionString = `postgresql://127.0.0.1:${await freePort()}/leads`;
    const unreachable = createPool({ connectionString, max: 1, applicationName: 'wake', onError: () => undefined });
    onTestFinished(() => unreachable.end());
    const waker = createRelayWaker(unreachable);
    waker.wake();
    await waker.idle();
  });

  test.override({ slots: 0 });
  test('follows every order that the API leaves to them, and no other', async ({ api, database }) => {
    const statements = recordStatements();
    const wakesFor = async (call: () => Promise<{ status: number }>) => {
      const before = statements.length;
      const { status } = await call();
      await api.idle();
      const texts = statements.slice(before).map(({ text }) => text);
      const woken = texts.some((text) => text.startsWith('NOTIFY'));
      const { count } = { count: await database.prisma.outbox.count() };
      await database.prisma.outbox.deleteMany();
      return { status, orders: count, woken };
    };
    const lead = newLead();
    const { body } = await api.call<Lead>('POST', '/api/leads', lead);
    await api.idle();
    await database.prisma.outbox.deleteMany();

    expect(await wakesFor(() => api.call('POST', '/api/leads', newLead()))).toEqual({
      status: 201,
      orders: 1,
      woken: true,
    });
    expect(await wakesFor(() => api.call('POST', '/api/leads', lead))).toEqual({
      status: 200,
      orders: 0,
      woken: false,
    });
    const path = `/api/leads/${body.id}`;
    const patch = (change: object) => () => api.call('PATCH', path, change);
    expect(await wakesFor(patch({ assignedTo: 'user-789' }))).toEqual({ status: 200, orders: 1, woken: true });
    expect(await wakesFor(patch({ priority: 'HIGH' }))).toEqual({ status: 200, orders: 1, woken: true });
    expect(await wakesFor(patch({ name: 'Ana' }))).toEqual({ status: 200, orders: 0, woken: false });
    expect(await wakesFor(() => api.call('POST', `${path}/onboarding/cancel`))).toEqual({
      status: 202,
      orders: 1,
      woken: true,
    });
  });

  test('is left out of what the API starts itself', async ({ database }) => {
    const statements = recordStatements();
    const api = createTestApi(database, { slots: 4 });
    onTestFinished(() => api.close());
    await api.call('POST', '/api/leads', newLead());
    await api.idle();
    expect(statements.filter(({ text }) => text.startsWith('NOTIFY'))).toEqual([]);
  });
});
