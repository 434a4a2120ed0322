import { timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Pool } from 'pg';
import { createRateLimiter } from '../rate-limit/limiter.ts';
import type { Logger } from '../telemetry/logger.ts';
import { parseToken } from './token.ts';

/** A key that was revoked works on for this and the time of one query (3 s at most), in every process: under 5 s. */
const REMEMBERED_MS = 2_000;
const USE_NOTED_EVERY_MS = 60_000;
/** Ids that nobody knows are asked for so often for one address; keys that work do not count. */
const GUESSES = { requests: 60, seconds: 60 };
const REAL_FOR_MS = 3_600_000;
/** Keys in use at the same time; past that the least used is asked for again. */
const MAX_KEYS = 10_000;

/** The key behind a request. */
export interface VerifiedKey {
  id: string;
  organizationId: string;
  scopes: readonly string[];
  /** When it ends by itself. */
  expiresAt: Date | null;
}

/** Why a token is not accepted; `too-many`: it was not even looked for, since its sender guesses. */
export type KeyRefusal = 'unknown' | 'expired' | 'revoked' | 'too-many';

/** Tells who a token belongs to. */
export interface Keyring {
  /**
   * @param sender whose guesses are counted together
   * @throws pg errors when the database cannot be asked
   */
  verify(token: string, sender: string): Promise<VerifiedKey | KeyRefusal>;
}

interface StoredKey {
  key: VerifiedKey;
  secretHash: Buffer;
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
  const guesses = createRateLimiter(GUESSES);
  /** Ids that somebody has shown the secret of: a colleague of theirs may guess from the same address. */
  const real = new LRUCache<string, true>({ max: MAX_KEYS, ttl: REAL_FOR_MS });
  const noted = new LRUCache<string, true>({ max: MAX_KEYS, ttl: USE_NOTED_EVERY_MS });

  /** Not waited for: a request must not fail, or take longer, because of it. */
  function noteUse(id: string): void {
    if (noted.has(id)) return;
    noted.set(id, true);
    writeUse(pool, id).catch((err: unknown) => log.warn({ keyId: id, err }, 'use of an API key not noted'));
  }

  return {
    async verify(token, sender) {
      const presented = parseToken(token);
      if (!presented) return 'unknown';
      const isGuess = !keys.has(presented.id) && !real.has(presented.id);
      if (isGuess && !guesses.take(sender).allowed) return 'too-many';
      const stored = await keys.fetch(presented.id);
      if (!stored || stored === 'unknown' || !timingSafeEqual(stored.secretHash, presented.secretHash))
        return 'unknown';
      if (isGuess) guesses.giveBack(sender);
      real.set(presented.id, true);
      if (stored.revokedAt) return 'revoked';
      if (stored.key.expiresAt && stored.key.expiresAt.getTime() <= Date.now()) return 'expired';
      noteUse(presented.id);
      return stored.key;
    },
  };
}

async function readKey(pool: Pool, id: string): Promise<StoredKey | 'unknown'> {
  const { rows } = await pool.query<VerifiedKey & Omit<StoredKey, 'key'>>({
    name: 'read_api_key',
    text: `SELECT id, organization_id AS "organizationId", scopes, expires_at AS "expiresAt",
                  secret_hash AS "secretHash", revoked_at AS "revokedAt"
           FROM api_key WHERE id = $1`,
    values: [id],
  });
  if (!rows[0]) return 'unknown';
  const { secretHash, revokedAt, ...key } = rows[0];
  return { key, secretHash, revokedAt };
}

/** Half a minute: another process may just have noted it. */
async function writeUse(pool: Pool, id: string): Promise<void> {
  await pool.query(
    `UPDATE api_key SET last_used_at = clock_timestamp()
     WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < clock_timestamp() - interval '30 seconds')`,
    [id],
  );
}
