import { onTestFinished } from 'vitest';
import { createPool } from '../../src/db/pool.ts';
import { createPrisma } from '../../src/db/prisma.ts';
import { createTestApi, type TestApiOptions } from './api.ts';
import type { TestInbox } from './notifications.ts';
import { listen } from './server.ts';

export interface InboxList {
  items: { id: string }[];
  lastNumber: number;
  unreadCount: number;
}

/** An API on a socket, with connections of its own as another process has them, until the test ends. */
export async function startStreamApi(databaseUrl: string, options: TestApiOptions = {}) {
  const pool = createPool({
    connectionString: databaseUrl,
    max: 5,
    applicationName: 'streams',
    onError: () => undefined,
  });
  const api = createTestApi({ pool, prisma: createPrisma(pool) }, { slots: 0, ...options });
  const server = await listen(api);
  onTestFinished(async () => {
    await api.close();
    await server.close();
    await pool.end();
  });
  return {
    ...api,
    server,
    urlOf: (inbox: TestInbox, query = '') => `${server.url}/api/notifications/stream?${inbox.query}${query}`,
    list: async (inbox: TestInbox) => (await api.call<InboxList>('GET', `/api/notifications?${inbox.query}`)).body,
  };
}
