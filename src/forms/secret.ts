import { randomBytes } from 'node:crypto';
import type { Pool } from 'pg';

const SECRET_BYTES = 32;

/** Reads the secret that all API processes share, once; the first process to ask makes it. */
export function formSecretReader(pool: Pool): () => Promise<Buffer> {
  let known: Promise<Buffer> | undefined;
  return () => {
    known ??= readOrMake(pool).catch((err: unknown) => {
      known = undefined;
      throw err;
    });
    return known;
  };
}

async function readOrMake(pool: Pool): Promise<Buffer> {
  const { rows } = await pool.query<{ secret: Buffer }>(
    `INSERT INTO form_secret AS known (id, secret) VALUES (1, $1)
     ON CONFLICT (id) DO UPDATE SET secret = known.secret RETURNING secret`,
    [randomBytes(SECRET_BYTES)],
  );
  if (!rows[0]) throw new Error('form_secret answered no row');
  return rows[0].secret;
}
