import { describe, expect } from 'vitest';
import { createKeyring } from '../../src/api-keys/keyring.ts';
import { createKey, revokeKey, rotateKey } from '../../src/api-keys/manage.ts';
import { makeToken, parseToken } from '../../src/api-keys/token.ts';
import type { TestDatabase } from '../support/database.ts';
import { recordLog } from '../support/log.ts';
import { test } from '../support/onboarding.ts';

const ID = '01a20c47-3d57-709f-ab6c-49d8478329dc';
const KEY = { organizationId: 'org-123', name: 'test', scopes: ['ops'], expiresAt: null };

/** As many processes as keyrings. */
const openKeyring = ({ pool }: TestDatabase) => createKeyring({ pool, log: recordLog().log });

describe('a token', () => {
  test('is made of 256 random bits, of which only the hash is for keeping', () => {
    const [first, second] = [makeToken(ID), makeToken(ID)];
    expect(first.token).toMatch(new RegExp(`^lok_${ID}_[\\w-]{43}$`));
    expect(first.token).not.toBe(second.token);
    expect(first.secretHash).toHaveLength(32);
    expect(parseToken(first.token)).toEqual({ id: ID, secretHash: first.secretHash });
  });

  test.for(['', 'lok_', `lok_${ID}`, `lok_${ID}_`, `LOK_${ID}_${'a'.repeat(43)}`, `lok_${ID}_${'a'.repeat(44)}`])(
    '%j cannot be one',
    (text) => {
      expect(parseToken(text)).toBeUndefined();
    },
  );
});

describe('every process refuses within 5 s', () => {
  test('a key that was revoked, however busy it is', async ({ database }) => {
    const { id, token } = await createKey(database.prisma, KEY);
    const keyrings = [openKeyring(database), openKeyring(database)];
    const verdicts = () => Promise.all(keyrings.map((keyring) => keyring.verify(token, 'somebody')));
    expect(await verdicts()).toEqual([expect.objectContaining({ id }), expect.objectContaining({ id })]);

    await revokeKey(database.prisma, id);
    await expect.poll(verdicts, { interval: 20 }).toEqual(['revoked', 'revoked']);
  });

  test('a key that was replaced, and takes the new one at once', async ({ database }) => {
    const old = await createKey(database.prisma, KEY);
    const keyring = openKeyring(database);
    await keyring.verify(old.token, 'somebody');
    const fresh = await rotateKey(database.prisma, old.id, 0);
    expect(await keyring.verify(fresh.token, 'somebody')).toMatchObject({
      id: fresh.id,
      organizationId: 'org-123',
      scopes: ['ops'],
    });
    await expect.poll(() => keyring.verify(old.token, 'somebody'), { interval: 20 }).toBe('expired');
  });
});

test('a key that is replaced with time to change over works until then, never longer than it would have', async ({
  database,
}) => {
  const hour = 3_600_000;
  const endless = await createKey(database.prisma, KEY);
  await rotateKey(database.prisma, endless.id, hour);
  const soon = await createKey(database.prisma, { ...KEY, expiresAt: new Date(Date.now() + hour / 2) });
  const fresh = await rotateKey(database.prisma, soon.id, hour);

  const endOf = async (id: string) =>
    ((await database.prisma.apiKey.findUniqueOrThrow({ where: { id } })).expiresAt?.getTime() ?? Infinity) - Date.now();
  expect((await endOf(endless.id)) / hour).toBeCloseTo(1, 1);
  expect((await endOf(soon.id)) / hour).toBeCloseTo(0.5, 1);
  expect((await endOf(fresh.id)) / hour).toBeCloseTo(0.5, 1);
  expect(await openKeyring(database).verify(endless.token, 'somebody')).toMatchObject({ id: endless.id });
});
