import { beforeEach, describe, expect } from 'vitest';
import { sweepIdempotencyKeys } from '../../src/leads/sweep-idempotency-keys.ts';
import type { TestDatabase } from '../support/database.ts';
import { test } from '../support/onboarding.ts';

const addKeys = ({ pool }: TestDatabase, prefix: string, count: number, expiresIn: string) =>
  pool.query(
    `INSERT INTO idempotency_key (organization_id, key, request_hash, expires_at)
     SELECT 'org-123', $1 || n, 'hash', clock_timestamp() + $3::interval FROM generate_series(1, $2::int) AS n`,
    [prefix, count, expiresIn],
  );

const keys = async ({ prisma }: TestDatabase) =>
  (await prisma.idempotencyKey.findMany({ orderBy: { key: 'asc' } })).map(({ key }) => key);

beforeEach<{ database: TestDatabase }>(({ database }) => database.prisma.idempotencyKey.deleteMany());

describe('sweeping idempotency keys', () => {
  test('deletes all that have expired, batch by batch, and no other', async ({ database }) => {
    await addKeys(database, 'old-', 2_500, '-1 second');
    await addKeys(database, 'live-', 2, '1 minute');
    expect(await sweepIdempotencyKeys(database.pool)).toBe(2_500);
    expect(await keys(database)).toEqual(['live-1', 'live-2']);
    expect(await sweepIdempotencyKeys(database.pool)).toBe(0);
  });

  test('does not wait for a key that a request just takes over, nor deletes it', async ({ database }) => {
    await addKeys(database, 'old-', 2, '-1 second');
    const request = await database.pool.connect();
    await request.query('BEGIN');
    await request.query(
      `UPDATE idempotency_key SET expires_at = clock_timestamp() + interval '1 day' WHERE key = 'old-1'`,
    );
    expect(await sweepIdempotencyKeys(database.pool)).toBe(1);
    await request.query('COMMIT');
    request.release();
    expect(await sweepIdempotencyKeys(database.pool)).toBe(0);
    expect(await keys(database)).toEqual(['old-1']);
  });

  test('by several relays at once deletes each once', async ({ database }) => {
    await addKeys(database, 'old-', 3_000, '-1 second');
    const swept = await Promise.all([1, 2, 3].map(() => sweepIdempotencyKeys(database.pool)));
    expect(swept.reduce((sum, count) => sum + count, 0)).toBe(3_000);
    expect(await keys(database)).toEqual([]);
  });
});
