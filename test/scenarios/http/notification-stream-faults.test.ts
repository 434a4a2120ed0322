import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, inject, onTestFinished } from 'vitest';
import { createPool } from '../../../src/db/pool.ts';
import { createPrisma } from '../../../src/db/prisma.ts';
import { ensureDatabase } from '../../../src/local/postgres/database.ts';
import { migrate } from '../../../src/local/postgres/migrations.ts';
import { connectionStringOf, startPostgres } from '../../../src/local/postgres/postgres.ts';
import { freePort } from '../../../src/local/ports.ts';
import { projectRoot } from '../../../src/local/project-root.ts';
import { test } from '../../support/api.ts';
import type { TestDatabase } from '../../support/database.ts';
import { fetchPatiently, follow } from '../../support/event-source.ts';
import { createInbox, type TestInbox } from '../../support/notifications.ts';
import { PATIENCE_MS } from '../../support/patience.ts';
import { startProcess } from '../../support/processes.ts';
import { recordStatements } from '../../support/statements.ts';
import { type InboxList, startStreamApi } from '../../support/stream-api.ts';
import { startTcpProxy } from '../../support/tcp-proxy.ts';

const SOON = { interval: 20 };
const LATER = { interval: 50 };
/** Of a transaction on a busy machine. */
const PATIENT = { maxWait: PATIENCE_MS, timeout: PATIENCE_MS };

/** Makes notifications in transactions beside each other, which do not commit in the order in which they began. */
async function fillShuffled({ prisma }: TestDatabase, inbox: TestInbox, count: number, writers: number) {
  const pause = (ms: number) => sleep(Math.random() * ms);
  let left = count;
  const write = async () => {
    while (left > 0) {
      left -= 1;
      await prisma.$transaction(async (tx) => {
        await tx.$queryRaw`SELECT 1`;
        const data = inbox.compose();
        await pause(400);
        await tx.notification.create({ data });
        await pause(20);
      }, PATIENT);
      await inbox.announce();
    }
  };
  await Promise.all(Array.from({ length: writers }, write));
}

describe('a stream of notifications', () => {
  test('shows a client that is cut off ten times, over two API processes, each of 200 notifications once, in order', async ({
    database,
  }) => {
    const inbox = await createInbox(database);
    const settings = { DATABASE_URL: database.url, LOG_LEVEL: 'debug' };
    const apis = [await startProcess('api', settings), await startProcess('api', settings)] as const;
    for (const api of apis) await expect.poll(async () => (await api.readyz()).status, LATER).toBe(200);
    const proxy = await startTcpProxy(apis[0].port, apis[1].port);
    onTestFinished(() => proxy.close());
    const list = await fetchPatiently(`${apis[0].url}/api/notifications?${inbox.query}`);
    const { lastNumber } = (await list.json()) as InboxList;
    const client = follow(`http://127.0.0.1:${proxy.port}/api/notifications/stream?${inbox.query}&after=${lastNumber}`);
    await expect.poll(client.opened, SOON).toBe(1);

    const filled = fillShuffled(database, inbox, 200, 4);
    for (let cuts = 1; cuts <= 10; cuts += 1) {
      await sleep(Math.random() * 100);
      proxy.cut();
      await expect.poll(client.opened, SOON).toBe(cuts + 1);
    }
    await filled;

    const stored = await database.prisma.notification.findMany({ where: inbox.owner, orderBy: { number: 'asc' } });
    const ids = stored.map(({ id }) => id);
    expect(stored.map(({ number }) => number)).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
    expect(ids, 'committed in another order than begun').not.toEqual(ids.toSorted());
    await expect.poll(() => client.notifications().length, SOON).toBe(200);
    await sleep(200);
    expect(client.notifications().map(({ data }) => data.id)).toEqual(ids);
    expect(client.notifications().map(({ id }) => Number(id))).toEqual(stored.map(({ number }) => number));
    for (const api of apis) {
      const streams = api.log().filter(({ route, status }) => route === '/api/notifications/stream' && status === 200);
      expect(streams.length).toBeGreaterThanOrEqual(5);
    }
  });

  test('goes on when the connection that listens is lost, with what came meanwhile', async ({ database }) => {
    const [api, inbox] = [await startStreamApi(database.url), await createInbox(database)];
    const client = follow(api.urlOf(inbox));
    const { pool } = database;
    const listening = async () => {
      const { rows } = await pool.query(`SELECT pid FROM pg_stat_activity WHERE application_name = 'streams:inbox'
                                         AND datname = current_database() AND query LIKE 'LISTEN%'`);
      return rows.length;
    };
    const ids: string[] = [];
    for (let losses = 0; losses < 3; losses += 1) {
      await expect.poll(listening, SOON).toBe(1);
      await pool.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                        WHERE application_name = 'streams:inbox' AND datname = current_database()`);
      ids.push(await inbox.add());
      await expect.poll(() => client.notifications().map(({ data }) => data.id), SOON).toEqual(ids);
    }
    expect(client.opened()).toBe(1);
  });

  test('goes on when its connections to Postgres are dead, although nobody says so, and when they are silent for a while', async ({
    database,
  }) => {
    const proxy = await startTcpProxy(inject('postgresPort'));
    onTestFinished(() => proxy.close());
    const url = new URL(database.url);
    url.port = String(proxy.port);
    const [api, inbox] = [await startStreamApi(url.href), await createInbox(database)];
    const client = follow(api.urlOf(inbox));
    const received = () => client.notifications().map(({ data }) => data.id);
    await expect.poll(client.opened, SOON).toBe(1);
    const ids = [await inbox.add()];
    await expect.poll(received, SOON).toEqual(ids);

    proxy.abandon();
    ids.push(await inbox.add());
    await expect.poll(received, LATER).toEqual(ids);
    proxy.setSilent(true);
    ids.push(await inbox.add());
    await sleep(6_000);
    ids.push(await inbox.add());
    proxy.setSilent(false);
    await expect.poll(received, LATER).toEqual(ids);
    expect(client.opened()).toBe(1);
  });

  test('goes on when Postgres is restarted', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lead-streams-'));
    const options = { dataDir: join(folder, 'postgres'), port: await freePort(), settings: { fsync: 'off' } };
    let postgres = await startPostgres(options);
    onTestFinished(async () => {
      await postgres.stop();
      await rm(folder, { recursive: true });
    });
    await ensureDatabase(postgres.connectionString, 'leads');
    const url = connectionStringOf(options.port, 'leads');
    await migrate({ connectionString: url, root: projectRoot() });
    const pool = createPool({ connectionString: url, max: 2, applicationName: 'test', onError: () => undefined });
    onTestFinished(() => pool.end());
    const own = { pool, prisma: createPrisma(pool) } as unknown as TestDatabase;
    const [api, inbox] = [await startStreamApi(url), await createInbox(own)];
    const client = follow(api.urlOf(inbox));
    await expect.poll(client.unreadCounts, SOON).toEqual([0]);

    await postgres.stop();
    await sleep(2_000);
    postgres = await startPostgres(options);
    const id = await inbox.add();
    await expect.poll(client.notifications, LATER).toMatchObject([{ id: '1', data: { id } }]);
    expect(client.opened()).toBe(1);
  });

  test('beats every 15 s, and reads then, whatever nobody has announced', async ({ database }) => {
    const [api, inbox] = [await startStreamApi(database.url), await createInbox(database)];
    const response = await fetch(api.urlOf(inbox));
    let text = '';
    const reading = (async () => {
      for await (const part of response.body ?? []) text += Buffer.from(part).toString();
    })().catch(() => undefined);
    await expect.poll(() => text, SOON).toContain('unreadCount');
    await sleep(500); // the listener stands
    const id = await inbox.store(); // by a worker that was killed between its commit and the announcement
    await expect.poll(() => text, LATER).toContain(id);
    expect(text).toMatch(/\n:\n\n/);
    api.stop();
    await reading;
  });

  test('drops a client that does not read, and reads no further for it', async ({ database }) => {
    const [api, inbox] = [await startStreamApi(database.url), await createInbox(database)];
    const socket = connect(api.server.port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    socket.write(`GET /api/notifications/stream?${inbox.query} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
    socket.pause();
    await expect.poll(api.streams, SOON).toBe(1);

    const message = 'x'.repeat(100_000);
    for (let i = 0; i < 300; i += 1) await inbox.add(message);
    const statements = recordStatements();
    await sleep(3_000);
    expect(statements.filter(({ text }) => text.includes('notification'))).toEqual([]);
    expect((await api.call('HEAD', api.urlOf(inbox))).status).toBe(200); // which nobody reads either
    await expect.poll(api.streams, LATER).toBe(0);
  });

  test('ends when the process stops, which takes no new ones, so that the server can close', async ({ database }) => {
    const [api, inbox] = [await startStreamApi(database.url), await createInbox(database)];
    const hanging = connect(api.server.port, '127.0.0.1');
    onTestFinished(() => void hanging.destroy());
    hanging.write(`GET /api/notifications/stream?${inbox.query} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
    hanging.pause();
    const message = 'x'.repeat(100_000);
    for (let i = 0; i < 200; i += 1) await inbox.add(message);
    const responses = await Promise.all(Array.from({ length: 20 }, () => fetch(api.urlOf(inbox))));
    const texts = responses.map((response) => response.text());
    const closed = once(api.server.node, 'close');
    api.stop();
    api.server.node.close();
    for (const text of await Promise.all(texts)) expect(text).toContain('unreadCount');
    expect((await api.call('GET', api.urlOf(inbox))).status).toBe(503);
    const closeIdle = setInterval(() => api.server.node.closeIdleConnections(), 100); // as the drain does at its end
    await closed; // whatever the one that does not read
    clearInterval(closeIdle);
    expect(api.streams()).toBe(0);
  });
});
