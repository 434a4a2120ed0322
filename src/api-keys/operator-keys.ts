import { uuidv7 } from 'uuidv7';
import type { OperatorKey, Prisma } from '../db/generated/client.ts';
import { KeyNotFound } from './errors.ts';
import { makeToken } from './token.ts';

/** The key of an operator, without its secret. */
export type OperatorKeyView = Omit<OperatorKey, 'secretHash'>;

/** Makes a key of an operator. @returns it with its token, which cannot be had again. */
export async function createOperatorKey(
  tx: Prisma.TransactionClient,
  { name, expiresAt }: { name: string; expiresAt: Date | null },
): Promise<OperatorKeyView & { token: string }> {
  const id = uuidv7();
  const { token, secretHash } = makeToken(id, 'lop');
  return { ...(await tx.operatorKey.create({ data: { id, name, secretHash, expiresAt }, omit })), token };
}

/** The keys of operators, the newest first, also those that have ended. */
export const listOperatorKeys = (db: Prisma.TransactionClient): Promise<OperatorKeyView[]> =>
  db.operatorKey.findMany({ omit, orderBy: [{ createdAt: 'desc' }, { id: 'desc' }] });

/**
 * Ends a key of an operator: every process refuses it within 5 s. Doing so again changes nothing.
 * @returns whether it worked until now
 * @throws KeyNotFound
 */
export async function revokeOperatorKey(tx: Prisma.TransactionClient, id: string): Promise<boolean> {
  const { count } = await tx.operatorKey.updateMany({
    where: { id, revokedAt: null },
    data: { revokedAt: new Date() },
  });
  if (count === 0 && !(await tx.operatorKey.findUnique({ where: { id }, select: { id: true } })))
    throw new KeyNotFound(id);
  return count === 1;
}

const omit = { secretHash: true } as const;
