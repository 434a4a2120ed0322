import { uuidv7 } from 'uuidv7';
import type { ApiKey as ApiKeyRow, Prisma } from '../db/generated/client.ts';
import { decodeCursor, olderThan, toPage } from '../db/paging.ts';
import { type IssuedKey, toApiKey } from './api-key.ts';
import { KeyEnded, KeyNotFound } from './errors.ts';
import { checkRoom, checkWithinMaker, holdKeys, type Maker } from './maker.ts';
import type { NewKey } from './new-key.ts';
import { makeToken } from './token.ts';

type Making = Omit<NewKey, 'scopes'> & { scopes: string[] };

/**
 * Makes a key. @returns it with its token, which cannot be had again.
 * @throws KeyExceedsMaker, TooManyKeys
 */
export async function createKey(tx: Prisma.TransactionClient, key: Making, maker = COMMAND_LINE): Promise<IssuedKey> {
  checkWithinMaker(key, maker.key);
  const origin = { madeByKey: maker.key?.id ?? null, madeByUser: maker.userId, replaces: null, rotatedByKey: null };
  await holdKeys(tx, key.organizationId, maker.key);
  return insertKey(tx, { ...key, ...origin });
}

const COMMAND_LINE: Maker = { key: null, userId: null };

async function insertKey(
  tx: Prisma.TransactionClient,
  key: Making & Pick<ApiKeyRow, 'madeByKey' | 'madeByUser' | 'replaces' | 'rotatedByKey'>,
): Promise<IssuedKey> {
  await checkRoom(tx, key, key.madeByKey);
  const id = uuidv7();
  const { token, secretHash } = makeToken(id);
  const row = await tx.apiKey.create({ data: { ...key, id, secretHash } });
  return { ...toApiKey(row), token };
}

/** Keys, the newest first, also those that have ended. Without an organization those of all. @throws CursorError */
export async function listKeys(
  db: Prisma.TransactionClient,
  page: { organizationId?: string | undefined; limit: number; cursor?: string | undefined },
) {
  const rows = await db.apiKey.findMany({
    where: {
      ...(page.organizationId !== undefined && { organizationId: page.organizationId }),
      ...(page.cursor !== undefined && olderThan(decodeCursor(page.cursor))),
    },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    take: page.limit + 1,
  });
  return toPage(rows, page.limit, (row) => ({ at: row.createdAt, id: row.id }), toApiKey);
}

/**
 * Makes a key of the same name, scopes, lifetime, which begins anew, and maker, and lets the old one expire. A key may
 * replace itself; any other it may replace when it could have made it.
 * @param keepOldForMs for which the old one works on, so that its holders can change over
 * @throws KeyNotFound, KeyEnded, KeyExceedsMaker, TooManyKeys
 */
export async function rotateKey(
  tx: Prisma.TransactionClient,
  id: string,
  keepOldForMs: number,
  by = COMMAND_LINE,
): Promise<IssuedKey> {
  const old = await findKey(tx, id);
  await holdKeys(tx, old.organizationId, by.key);
  const now = Date.now();
  const end = old.expiresAt?.getTime() ?? Infinity;
  const { count } = await tx.apiKey.updateMany({
    where: { id, revokedAt: null, OR: [{ expiresAt: null }, { expiresAt: { gt: new Date(now) } }] },
    data: { expiresAt: new Date(Math.min(end, now + keepOldForMs)) },
  });
  if (count === 0) throw new KeyEnded();
  const maker = old.madeByKey === null ? null : await tx.apiKey.findUnique({ where: { id: old.madeByKey } });
  const latest = maker?.expiresAt?.getTime() ?? Infinity;
  const expiresMs = Math.min(latest, now + (end - old.createdAt.getTime()));
  const { organizationId, name, scopes, madeByKey } = old;
  const expiresAt = expiresMs === Infinity ? null : new Date(expiresMs);
  if (by.key?.id !== id) checkWithinMaker({ scopes, expiresAt }, by.key);
  const origin = { madeByKey, madeByUser: by.userId, replaces: id, rotatedByKey: by.key?.id ?? null };
  return insertKey(tx, { organizationId, name, scopes, expiresAt, ...origin });
}

/**
 * Ends a key: every process refuses it within 5 s. Doing so again changes nothing.
 * @param withDescendants ends the keys as well that it has made or rotated, and so on down
 * @returns the ids of the keys that have ended now, and whose they were
 * @throws KeyNotFound
 */
export async function revokeKey(
  tx: Prisma.TransactionClient,
  id: string,
  withDescendants = false,
): Promise<{ organizationId: string; ids: string[] }> {
  const { organizationId } = await findKey(tx, id);
  await holdKeys(tx, organizationId, null);
  const revoked = await tx.$queryRaw<{ id: string }[]>`
    WITH RECURSIVE family AS (
      SELECT id FROM api_key WHERE id = ${id}::uuid
      UNION SELECT child.id FROM api_key AS child JOIN family
        ON child.made_by_key = family.id OR child.rotated_by_key = family.id
      WHERE ${withDescendants} AND child.organization_id = ${organizationId})
    UPDATE api_key SET revoked_at = clock_timestamp() FROM family
    WHERE api_key.id = family.id AND revoked_at IS NULL RETURNING api_key.id`;
  return { organizationId, ids: revoked.map((key) => key.id) };
}

async function findKey(db: Prisma.TransactionClient, id: string) {
  const key = await db.apiKey.findUnique({ where: { id } });
  if (!key) throw new KeyNotFound(id);
  return key;
}
