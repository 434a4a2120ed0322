import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished } from 'vitest';
import { createPool } from '../../src/db/pool.ts';
import { listenForOrders } from '../../src/outbox/listen.ts';
import { createRelayWaker } from '../../src/outbox/wake.ts';
import type { Lead } from '../../src/leads/lead.ts';
import { createTestApi, newLead, test } from '../support/api.ts';
import type { TestDatabase } from '../support/database.ts';
import { recordLog } from '../support/log.ts';
import { freePort } from '../../src/local/ports.ts';
import { recordStatements } from '../support/statements.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

const { log } = recordLog();
const POLL = { timeout: 30_000, interval: 200 };

/** A pool on the database as it is seen through a port. */
function poolAt(port: number, { url }: TestDatabase) {
  const address = new URL(url);
  address.port = String(port);
  const pool = createPool({
    connectionString: address.href,
    max: 2,
    applicationName: 'wake',
    onError: () => undefined,
  });
  onTestFinished(() => pool.end());
  return pool;
}

/** Counts what a listener hears until the test ends. */
function listenAt(port: number, database: TestDatabase) {
  const heard = { count: 0 };
  const stop = listenForOrders(poolAt(port, database), () => (heard.count += 1), log);
  onTestFinished(stop);
  return {
    heard,
    stop,
    /** Resolves when it hears; it is called again and again, as a listener that connects misses what came before. */
    async toHear() {
      const { count } = heard;
      const call = async () => {
        await database.pool.query('NOTIFY outbox');
        await sleep(100);
        return heard.count > count;
      };
      await expect.poll(call, POLL).toBe(true);
    },
  };
}

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

  test('minds no database that is away', async ({ database }) => {
    const waker = createRelayWaker(poolAt(await freePort(), database));
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

describe('a listener', () => {
  const portOf = ({ url }: TestDatabase) => Number(new URL(url).port);

  test('hears again after its connection was cut', async ({ database }) => {
    const proxy = await startTcpProxy(portOf(database));
    onTestFinished(() => proxy.close());
    const listener = listenAt(proxy.port, database);
    await listener.toHear();
    proxy.cut();
    await listener.toHear();
  });

  test('notices a connection that says nothing any more, and hears again over a new one', async ({ database }) => {
    const proxy = await startTcpProxy(portOf(database));
    onTestFinished(() => proxy.close());
    const listener = listenAt(proxy.port, database);
    await listener.toHear();
    proxy.setSilent(true);
    await sleep(9_000);
    proxy.setSilent(false);
    await listener.toHear();
  });

  test('begins when the database comes, however late', async ({ database }) => {
    const proxy = await startTcpProxy(portOf(database));
    onTestFinished(() => proxy.close());
    proxy.setSilent(true);
    const listener = listenAt(proxy.port, database);
    await sleep(3_000);
    proxy.setSilent(false);
    await listener.toHear();
  });

  test('can be stopped while the database hangs', async ({ database }) => {
    const proxy = await startTcpProxy(portOf(database));
    onTestFinished(() => proxy.close());
    const listener = listenAt(proxy.port, database);
    await listener.toHear();
    proxy.setSilent(true);
    await listener.stop();
  });
});
