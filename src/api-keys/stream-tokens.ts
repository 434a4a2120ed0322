import type { Pool } from 'pg';
import { uuidv7 } from 'uuidv7';
import { deleteInBatches } from '../db/delete-in-batches.ts';
import type { Prisma } from '../db/generated/client.ts';
import { STREAM_TOKEN_MS } from './limits.ts';
import type { ApiScope } from './scopes.ts';
import { makeToken } from './token.ts';

export interface NewStreamToken {
  organizationId: string;
  /** The key that asks for it; null while the API works without keys. */
  keyId: string | null;
  /** What the stream asks for, of what the key has. */
  scopes: ApiScope[];
  /** Whose inbox it opens, if it opens one. */
  userId: string | null;
}

/** Makes the token of a stream. @returns it, and until when the stream has to be opened */
export async function createStreamToken(
  tx: Prisma.TransactionClient,
  token: NewStreamToken,
): Promise<{ token: string; expiresAt: string }> {
  const id = uuidv7();
  const { token: text, secretHash } = makeToken(id, 'lst');
  const expiresAt = new Date(Date.now() + STREAM_TOKEN_MS);
  await tx.streamToken.create({ data: { ...token, id, secretHash, expiresAt }, select: { id: true } });
  return { token: text, expiresAt: expiresAt.toISOString() };
}

const DELETE_EXPIRED = `
  DELETE FROM stream_token WHERE id IN (
    SELECT id FROM stream_token WHERE expires_at <= now() ORDER BY expires_at FOR UPDATE SKIP LOCKED LIMIT $1)`;

/** Deletes tokens that have expired. @returns how many */
export const sweepStreamTokens = (pool: Pool, signal?: AbortSignal): Promise<number> =>
  deleteInBatches(pool, DELETE_EXPIRED, signal);
