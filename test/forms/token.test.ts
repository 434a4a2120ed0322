import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { formSecretReader } from '../../src/forms/secret.ts';
import { createFormTokens } from '../../src/forms/token.ts';
import { createPool } from '../../src/db/pool.ts';
import { freePort } from '../../src/local/ports.ts';
import { test } from '../support/api.ts';

/** Tokens that may be used from 3 s to 60 s after their making, by a clock that a test moves. */
function tokensAt(secret = randomBytes(32)) {
  const clock = { now: Date.parse('2026-11-24T12:00:00.123Z') };
  const readSecret = () => Promise.resolve(secret);
  const tokens = createFormTokens({ readSecret, minAgeMs: 3_000, maxAgeMs: 60_000, now: () => clock.now });
  return { clock, tokens };
}

describe('a token', () => {
  it('is good from its least to its greatest age, as it says itself', async () => {
    const { clock, tokens } = tokensAt();
    const { token, usableFrom, expiresAt } = await tokens.issue();
    expect([usableFrom, expiresAt].map((at) => at.toISOString())).toEqual([
      '2026-11-24T12:00:03.123Z',
      '2026-11-24T12:01:00.123Z',
    ]);
    const verdicts: Record<number, string | undefined> = {};
    for (const age of [0, 2_999, 3_000, 60_000, 60_001]) {
      clock.now = usableFrom.getTime() - 3_000 + age;
      verdicts[age] = await tokens.check(token);
    }
    expect(verdicts).toEqual({
      0: 'too-young',
      2999: 'too-young',
      3000: undefined,
      60000: undefined,
      60001: 'expired',
    });
  });

  it('is another one each time, of characters that need no escaping', async () => {
    const { tokens } = tokensAt();
    const made = await Promise.all(Array.from({ length: 100 }, async () => (await tokens.issue()).token));
    expect(new Set(made).size).toBe(100);
    for (const token of made) expect(token).toMatch(/^[\w-]{43}$/);
  });

  it('cannot be made older, nor written in another way', async () => {
    const { clock, tokens } = tokensAt();
    const { token } = await tokens.issue();
    clock.now += 5_000;
    const last = token.slice(-1);
    const spelledAnew = ['A', 'B', 'C', 'D']
      .map((end) => token.slice(0, -1) + end)
      .filter((other) => !other.endsWith(last));
    const bytes = Buffer.from(token, 'base64url');
    bytes.writeUIntBE(clock.now - 10_000, 0, 6);
    for (const other of [bytes.toString('base64url'), `${token}=`, `${token}A`, ` ${token}`, '', 'x', ...spelledAnew]) {
      expect(await tokens.check(other), other).toBe('unknown');
    }
    expect(await tokens.check(token)).toBeUndefined();
  });

  it('of another secret is not ours', async () => {
    const { token } = await tokensAt().tokens.issue();
    expect(await tokensAt().tokens.check(token)).toBe('unknown');
  });
});

describe('the secret', () => {
  test('is made once, whoever asks first, and asked for once by each process', async ({ database: { pool } }) => {
    const readers = [1, 2, 3].map(() => formSecretReader(pool));
    const secrets = await Promise.all([...readers, ...readers].map((read) => read()));
    expect(new Set(secrets.map((secret) => secret.toString('hex'))).size).toBe(1);
    expect(secrets[0]).toHaveLength(32);
    await pool.query('DELETE FROM form_secret');
    expect(await readers[0]?.()).toEqual(secrets[0]);
  });

  test('is asked for again after Postgres was away', async ({ database }) => {
    const url = new URL(database.url);
    url.port = String(await freePort());
    const options = { max: 1, applicationName: 'away', onError: () => undefined };
    const pool = createPool({ connectionString: url.href, ...options });
    const read = formSecretReader(pool);
    await expect(read()).rejects.toThrow('ECONNREFUSED');
    pool.options.port = Number(new URL(database.url).port);
    Object.assign(pool.options, { connectionString: database.url });
    expect(await read()).toHaveLength(32);
    await pool.end();
  });
});
