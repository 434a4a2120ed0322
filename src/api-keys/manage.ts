import { v7 as uuidv7 } from 'uuid';
import type { Prisma } from '../db/generated/client.ts';
import { decodeCursor, olderThan, toPage } from '../db/paging.ts';
import { type IssuedKey, toApiKey } from './api-key.ts';
import { KeyEnded, KeyNotFound } from './errors.ts';
import type { NewKey } from './new-key.ts';
import { makeToken } from './token.ts';

/** Makes a key. @returns it with its token, which cannot be had again. */
export async function createKey(
  db: Prisma.TransactionClient,
  key: Omit<NewKey, 'scopes'> & { scopes: string[] },
): Promise<IssuedKey> {
  const id = uuidv7();
  const { token, secretHash } = makeToken(id);
  const row = await db.apiKey.create({ data: { ...key, id, secretHash } });
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
  const { items, nextCursor } = toPage(rows, page.limit, (row) => ({ at: row.createdAt, id: row.id }));
  return { items: items.map(toApiKey), nextCursor };
}

/**
 * Makes a key of the same name, scopes and lifetime, which begins anew, and lets the old one expire.
 * @param keepOldForMs for which the old one works on, so that its holders can change over
 * @throws KeyNotFound, KeyEnded
 */
export async function rotateKey(db: Prisma.TransactionClient, id: string, keepOldForMs: number): Promise<IssuedKey> {
  const old = await findKey(db, id);
  const now = Date.now();
  const end = old.expiresAt?.getTime() ?? Infinity;
  const { count } = await db.apiKey.updateMany({
    where: { id, revokedAt: null, OR: [{ expiresAt: null }, { expiresAt: { gt: new Date(now) } }] },
    data: { expiresAt: new Date(Math.min(end, now + keepOldForMs)) },
  });
  if (count === 0) throw new KeyEnded();
  const lifetime = end - old.createdAt.getTime();
  return createKey(db, {
    organizationId: old.organizationId,
    name: old.name,
    scopes: old.scopes,
    expiresAt: lifetime === Infinity ? null : new Date(now + lifetime),
  });
}

/** Ends a key: every process refuses it within 5 s. Doing so again changes nothing. @throws KeyNotFound */
export async function revokeKey(db: Prisma.TransactionClient, id: string): Promise<void> {
  await findKey(db, id);
  await db.apiKey.updateMany({ where: { id, revokedAt: null }, data: { revokedAt: new Date() } });
}

async function findKey(db: Prisma.TransactionClient, id: string) {
  const key = await db.apiKey.findUnique({ where: { id } });
  if (!key) throw new KeyNotFound(id);
  return key;
}
