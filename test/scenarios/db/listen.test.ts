import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished } from 'vitest';
import { listen } from '../../../src/db/listen.ts';
import { createPool } from '../../../src/db/pool.ts';
import type { TestDatabase } from '../../support/database.ts';
import { recordLog } from '../../support/log.ts';
import { test } from '../../support/onboarding.ts';
import { startTcpProxy } from '../../support/tcp-proxy.ts';

const { log } = recordLog();
const POLL = { interval: 200 };

/** A pool on the database as it is seen through a port. */
function poolAt(port: number, { url }: TestDatabase) {
  const address = new URL(url);
  address.port = String(port);
  const pool = createPool({
    connectionString: address.href,
    max: 2,
    applicationName: 'listener',
    onError: () => undefined,
  });
  onTestFinished(() => pool.end());
  return pool;
}

/** Counts what a listener hears until the test ends. */
function listenAt(port: number, database: TestDatabase) {
  const heard = { count: 0, listening: 0, last: '' };
  const onMessage = (payload: string) => {
    heard.count += 1;
    heard.last = payload;
  };
  const stop = listen(poolAt(port, database), 'news', { onMessage, onListening: () => (heard.listening += 1) }, log);
  onTestFinished(stop);
  return {
    heard,
    stop,
    /** Resolves when it hears; it is called again and again, as a listener that connects misses what came before. */
    async toHear() {
      const { count } = heard;
      const call = async () => {
        await database.pool.query(`NOTIFY news, 'of today'`);
        await sleep(100);
        return heard.count > count && heard.last === 'of today';
      };
      await expect.poll(call, POLL).toBe(true);
    },
  };
}

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

  test('notices a connection that is dead, although nobody says so', async ({ database }) => {
    const proxy = await startTcpProxy(portOf(database));
    onTestFinished(() => proxy.close());
    const listener = listenAt(proxy.port, database);
    await listener.toHear();
    const { listening } = listener.heard;
    proxy.abandon();
    await listener.toHear();
    expect(listener.heard.listening).toBe(listening + 1);
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

  test('listens over another connection when it may not over this one, and says so only then', async ({ database }) => {
    const proxy = await startTcpProxy(portOf(database));
    onTestFinished(() => proxy.close());
    const refused = { count: 0 };
    proxy.setAlteration((chunk) => {
      const text = chunk.toString('latin1').replace('LISTEN', () => {
        refused.count += 1;
        return 'REFUSE';
      });
      return Buffer.from(text, 'latin1');
    });
    const listener = listenAt(proxy.port, database);
    await expect.poll(() => refused.count, POLL).toBeGreaterThan(0);
    proxy.setAlteration((chunk) => chunk);
    await listener.toHear();
    expect(listener.heard.listening).toBe(1);
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
