import { createKeyring, createOperatorKeyring, createStreamKeyring } from '../../src/api-keys/keyring.ts';
import { createKey } from '../../src/api-keys/manage.ts';
import type { NewKey } from '../../src/api-keys/new-key.ts';
import { createOperatorKey } from '../../src/api-keys/operator-keys.ts';
import { API_SCOPES } from '../../src/api-keys/scopes.ts';
import { createPool } from '../../src/db/pool.ts';
import { createPrisma } from '../../src/db/prisma.ts';
import { API_ROLE } from '../../src/db/tenant.ts';
import { type Call, createTestApi, test as base, type TestApiOptions } from './api.ts';
import type { TestDatabase } from './database.ts';
import { recordLog } from './log.ts';

/** A pool as the API has it for requests; its role may be left out to see what holds without it. */
export const openRequestPool = ({ url }: TestDatabase, role: string | undefined) =>
  createPool({ connectionString: url, max: 10, applicationName: 'requests', role, onError: () => undefined });

/** The app as production runs it: it wants keys, and its requests work under the role of the API. */
export function createKeyedApi(database: TestDatabase, options: TestApiOptions, role: string | undefined) {
  const pool = openRequestPool(database, role);
  const keyring = createKeyring({ pool: database.pool, log: recordLog().log });
  const operatorKeyring = createOperatorKeyring({ pool: database.pool, log: recordLog().log });
  const streamKeyring = createStreamKeyring({ pool: database.pool, log: recordLog().log });
  const keyrings = { keyring, operatorKeyring, streamKeyring, own: database };
  const api = createTestApi({ pool, prisma: createPrisma(pool) }, { ...keyrings, ...options });
  return {
    ...api,
    /** Calls with a token; undefined for none. */
    as: (token: string | undefined): Call => {
      const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
      return (method, path, body, headers) => api.call(method, path, body, { ...authorization, ...headers });
    },
    async close() {
      await api.close();
      await pool.end();
    },
  };
}

export type KeyedApi = ReturnType<typeof createKeyedApi>;

/** Makes a key, by default for everything in the seed's organization. @returns its token */
export async function makeKey({ prisma }: TestDatabase, key: Partial<NewKey> = {}): Promise<string> {
  const preset = { organizationId: 'org-123', name: 'test', scopes: [...API_SCOPES], expiresAt: null };
  return (await createKey(prisma, { ...preset, ...key })).token;
}

/** Makes a key of an operator. @returns its token */
export const makeOperatorKey = async ({ prisma }: TestDatabase, expiresAt: Date | null = null): Promise<string> =>
  (await createOperatorKey(prisma, { name: 'night shift', expiresAt })).token;

export const test = base.extend<{ role: string | undefined; keyed: KeyedApi }>({
  role: API_ROLE,
  keyed: async ({ database, slots, role }, use) => {
    const keyed = createKeyedApi(database, { slots }, role);
    await use(keyed);
    await keyed.close();
  },
});

/** Nothing is started: all orders stay in the outbox. */
export const testWithoutStarts = test.extend({ slots: 0 });
