import { timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Pool } from 'pg';
import { createRateLimiter } from '../rate-limit/limiter.ts';
import type { Logger } from '../telemetry/logger.ts';
import { STREAM_TOKEN_MS } from './limits.ts';
import { parseToken, type TokenKind } from './token.ts';

/** A key that was revoked works on for this and the time of one query (3 s at most), in every process: under 5 s. */
const REMEMBERED_MS = 2_000;
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
  /** The one user whose inbox it opens, if it is for one. */
  userId?: string | null;
}

/** Why a token is not accepted; `too-many`: it was not even looked for, since its sender guesses. */
export type KeyRefusal = 'unknown' | 'expired' | 'revoked' | 'too-many';

/** The key of an operator: what it opens is of no organization. */
export type OperatorKey = Pick<VerifiedKey, 'id' | 'expiresAt'>;

/** Tells who a token belongs to. */
export interface Keyring<Key = VerifiedKey> {
  /**
   * @param sender whose guesses are counted together
   * @throws pg errors when the database cannot be asked
   */
  verify(token: string, sender: string): Promise<Key | KeyRefusal>;
}

interface StoredKey<Key> {
  key: Key;
  secretHash: Buffer;
  revokedAt: Date | null;
}

interface KeyringDependencies {
  pool: Pool;
  log: Logger;
}

/** Where keys of a kind are kept; each statement is about the id `$1`. */
interface Store {
  kind: TokenKind;
  /** Reads the key, with `secretHash` and `revokedAt`. */
  read: string;
  noteUse: string;
  /** Milliseconds between two notes of a process that a key is in use. */
  noteEveryMs: number;
}

const readFrom = (table: string, columns: string) =>
  `SELECT ${columns}, expires_at AS "expiresAt", secret_hash AS "secretHash", revoked_at AS "revokedAt"
   FROM ${table} WHERE id = $1`;

/** Half a minute: another process may just have noted it. */
const noteUseIn = (table: string) =>
  `UPDATE ${table} SET last_used_at = clock_timestamp()
   WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < clock_timestamp() - interval '30 seconds')`;

const API_KEYS: Store = {
  kind: 'lok',
  read: readFrom('api_key', 'id, organization_id AS "organizationId", scopes'),
  noteUse: noteUseIn('api_key'),
  noteEveryMs: 60_000,
};
const OPERATOR_KEYS: Store = {
  kind: 'lop',
  read: readFrom('operator_key', 'id'),
  noteUse: noteUseIn('operator_key'),
  noteEveryMs: 60_000,
};
/** A token counts as the key that asked for it, and ends with it. */
const STREAM_TOKENS: Store = {
  kind: 'lst',
  read: `SELECT k.id, t.organization_id AS "organizationId", t.scopes, t.user_id AS "userId",
           least(t.expires_at, k.expires_at) AS "expiresAt", t.secret_hash AS "secretHash", k.revoked_at AS "revokedAt"
         FROM stream_token t JOIN api_key k ON k.id = t.key_id WHERE t.id = $1`,
  noteUse: `UPDATE stream_token SET expires_at = clock_timestamp() + ${STREAM_TOKEN_MS} * interval '1 millisecond'
            WHERE id = $1`,
  noteEveryMs: 10_000,
};

/**
 * Keys as the database has them, remembered for seconds, unknown ids included, so that a caller who goes on calling
 * costs no query. The pool must see the keys of every organization.
 */
export const createKeyring = (deps: KeyringDependencies): Keyring => openKeyring(deps, API_KEYS);

/** The same for the keys of operators. Neither keyring knows the keys of the other. */
export const createOperatorKeyring = (deps: KeyringDependencies): Keyring<OperatorKey> =>
  openKeyring(deps, OPERATOR_KEYS);

/** The same for the tokens of streams. One that is verified while its stream is open goes on being good. */
export const createStreamKeyring = (deps: KeyringDependencies): Keyring => openKeyring(deps, STREAM_TOKENS);

function openKeyring<Key extends OperatorKey>({ pool, log }: KeyringDependencies, store: Store): Keyring<Key> {
  const keys = new LRUCache<string, StoredKey<Key> | 'unknown'>({
    max: MAX_KEYS,
    ttl: REMEMBERED_MS,
    fetchMethod: (id) => readKey<Key>(pool, store, id),
  });
  const guesses = createRateLimiter(GUESSES);
  /** Ids that somebody has shown the secret of: a colleague of theirs may guess from the same address. */
  const real = new LRUCache<string, true>({ max: MAX_KEYS, ttl: REAL_FOR_MS });
  const noted = new LRUCache<string, true>({ max: MAX_KEYS, ttl: store.noteEveryMs });

  /** Not waited for: a request must not fail, or take longer, because of it. */
  function noteUse(id: string): void {
    if (noted.has(id)) return;
    noted.set(id, true);
    pool
      .query(store.noteUse, [id])
      .catch((err: unknown) => log.warn({ keyId: id, err }, 'use of an API key not noted'));
  }

  return {
    async verify(token, sender) {
      const presented = parseToken(token, store.kind);
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

async function readKey<Key>(pool: Pool, { kind, read }: Store, id: string): Promise<StoredKey<Key> | 'unknown'> {
  const { rows } = await pool.query<Omit<StoredKey<Key>, 'key'>>({
    name: `read_${kind}`,
    text: read,
    values: [id],
  });
  if (!rows[0]) return 'unknown';
  const { secretHash, revokedAt, ...key } = rows[0];
  return { key: key as Key, secretHash, revokedAt };
}
