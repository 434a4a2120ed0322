import { timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Pool } from 'pg';
import type { Logger } from '../telemetry/logger.ts';
import { parseToken } from './token.ts';

/** A key that was revoked works on for this and the time of one query (3 s at most), in every process: under 5 s. */
const REMEMBERED_MS = 2_000;
const USE_NOTED_EVERY_MS = 60_000;
/** Keys in use at the same time; past that the least used is asked for again. */
const MAX_KEYS = 10_000;

/** The key behind a request. */
export interface VerifiedKey {
  id: string;
  organizationId: string;
  scopes: readonly string[];
}

/** Why a token is not accepted. */
export type KeyRefusal = 'unknown' | 'expired' | 'revoked';

/** Tells who a token belongs to. */
export interface Keyring {
  /** @throws pg errors when the database cannot be asked. */
  verify(token: string): Promise<VerifiedKey | KeyRefusal>;
}

interface StoredKey {
  key: VerifiedKey;
  secretHash: Buffer;
  expiresAt: Date | null;
  revokedAt: Date | null;
}

/**
 * Keys as the database has them, remembered for seconds, unknown ids included, so that a caller who goes on calling
 * costs no query. The pool must see the keys of every organization.
 */
export function createKeyring({ pool, log }: { pool: Pool; log: Logger }): Keyring {
  const keys = new LRUCache<string, StoredKey | 'unknown'>({
    max: MAX_KEYS,
    ttl: REMEMBERED_MS,
    fetchMethod: (id) => readKey(pool, id),
  });
  const noted = new LRUCache<string, true>({ max: MAX_KEYS, ttl: USE_NOTED_EVERY_MS });

  /** Not waited for: a request must not fail, or take longer, because of it. */
  function noteUse(id: string): void {
    if (noted.has(id)) return;
    noted.set(id, true);
    writeUse(pool, id).catch((err: unknown) => log.warn({ keyId: id, err }, 'use of an API key not noted'));
  }

  return {
    async verify(token) {
      const presented = parseToken(token);
      const stored = presented && (await keys.fetch(presented.id));
      if (!stored || stored === 'unknown' || !timingSafeEqual(stored.secretHash, presented.secretHash))
        return 'unknown';
      if (stored.revokedAt) return 'revoked';
      if (stored.expiresAt && stored.expiresAt.getTime() <= Date.now()) return 'expired';
      noteUse(presented.id);
      return stored.key;
    },
  };
}

async function readKey(pool: Pool, id: string): Promise<StoredKey | 'unknown'> {
  const { rows } = await pool.query<StoredKey>({
    name: 'read_api_key',
    text: `SELECT json_build_object('id', id, 'organizationId', organization_id, 'scopes', scopes) AS key,
                  secret_hash AS "secretHash", expires_at AS "expiresAt", revoked_at AS "revokedAt"
           FROM api_key WHERE id = $1`,
    values: [id],
  });
  return rows[0] ?? 'unknown';
}

/** Half a minute: another process may just have noted it. */
async function writeUse(pool: Pool, id: string): Promise<void> {
  await pool.query(
    `UPDATE api_key SET last_used_at = clock_timestamp()
     WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < clock_timestamp() - interval '30 seconds')`,
    [id],
  );
}
