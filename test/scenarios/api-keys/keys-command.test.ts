import { randomUUID } from 'node:crypto';
import { describe, expect } from 'vitest';
import type { ApiKey, IssuedKey } from '../../../src/api-keys/api-key.ts';
import { createKeyring, createOperatorKeyring } from '../../../src/api-keys/keyring.ts';
import { freePort } from '../../../src/local/ports.ts';
import { runEntry } from '../../support/run-entry.ts';
import type { TestDatabase } from '../../support/database.ts';
import { recordLog } from '../../support/log.ts';
import { test } from '../../support/onboarding.ts';
import { idOf } from '../../support/operations.ts';

const keys = ({ url }: { url: string }, ...args: string[]) => runEntry('keys', args, { DATABASE_URL: url });

const CREATE = ['create', '--organization', 'org-123', '--name', 'web form', '--scopes', 'leads:read,leads:write'];

const verify = ({ pool }: TestDatabase, token: string) =>
  createKeyring({ pool, log: recordLog().log }).verify(token, 'somebody');

describe('npm run keys', () => {
  test('creates a key, and prints nothing but its token to stdout', async ({ database }) => {
    const { code, stdout, stderr } = await keys(database, ...CREATE, '--expires-in-days', '90');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^lok_[\da-f-]{36}_[\w-]{43}\n$/);
    expect(stderr).toMatch(/org-123 {2}web form {2}leads:read,leads:write {2}until .*\n.*cannot be shown again/);

    const key = await verify(database, stdout.trim());
    expect(key).toMatchObject({ organizationId: 'org-123', scopes: ['leads:read', 'leads:write'] });
    const row = await database.prisma.apiKey.findFirstOrThrow({ where: { name: 'web form' } });
    const days = ((row.expiresAt?.getTime() ?? 0) - row.createdAt.getTime()) / 86_400_000;
    expect(days).toBeCloseTo(90, 2);
  });

  test('lists, rotates and revokes, in JSON for scripts', async ({ database }) => {
    const json = async <T>(...args: string[]) => {
      const { code, stdout, stderr } = await keys(database, ...args, '--json');
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      return JSON.parse(stdout) as T;
    };
    const mine = ['--organization', `org-${randomUUID()}`];
    const old = await json<IssuedKey>('create', ...mine, '--name', 'import', '--scopes', 'all');
    const fresh = await json<IssuedKey>('rotate', old.id, '--keep-old-for-hours', '0');
    expect(fresh).toMatchObject({ name: 'import', scopes: old.scopes, expiresAt: null });
    expect(await verify(database, old.token)).toBe('expired');
    expect(await verify(database, fresh.token)).toMatchObject({ id: fresh.id });

    expect(await json('revoke', fresh.id)).toEqual({ id: fresh.id, revoked: true, ids: [fresh.id] });
    expect(await verify(database, fresh.token)).toBe('revoked');
    const listed = await json<ApiKey[]>('list', ...mine);
    expect(listed.map(({ id }) => id)).toEqual([fresh.id, old.id]);
    expect(JSON.stringify(listed)).not.toContain('lok_');
  });

  test('shows people which keys there are, of all organizations', async ({ database }) => {
    await keys(database, ...CREATE, '--name', 'for people');
    const { stdout } = await keys(database, 'list');
    expect(stdout).toMatch(/^[\da-f-]{36} {2}org-123 {2}for people {2}.* {2}without end {2}never used$/m);
  });

  test("makes, lists and ends operators' keys, each noted for the audit", async ({ database }) => {
    const { code, stdout, stderr } = await keys(database, 'create-operator', '--name', 'on call');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^lop_[\da-f-]{36}_[\w-]{43}\n$/);
    expect(stderr).toMatch(/on call .*\n.*cannot be shown again/);
    const keyring = createOperatorKeyring({ pool: database.pool, log: recordLog().log });
    const key = await keyring.verify(stdout.trim(), 'somebody');
    const id = idOf(stdout);
    expect(key).toMatchObject({ id });

    expect((await keys(database, 'list-operators')).stdout).toContain(id);
    expect((await keys(database, 'revoke-operator', id)).stdout).toBe(`${id} is revoked\n`);
    const later = createOperatorKeyring({ pool: database.pool, log: recordLog().log });
    expect(await later.verify(stdout.trim(), 'somebody')).toBe('revoked');
    const noted = await database.prisma.operatorAction.findMany({ where: { subject: id }, orderBy: { at: 'asc' } });
    expect(noted.map(({ action }) => action)).toEqual(['operator-key.created', 'operator-key.revoked']);
  });

  test.for([
    [
      'a scope that there is not',
      [...CREATE, '--scopes', 'leads'],
      /'--scopes <list>'.*It must name scopes of leads:create,/,
    ],
    ['no day at all', [...CREATE, '--expires-in-days', 'soon'], /It must be a whole number/],
    ...['', '1.5', '169'].map(
      (hours) =>
        [
          `"${hours}" hours for which the old key works on`,
          ['rotate', '01a20c47-3d57-709f-ab6c-49d8478329dc', '--keep-old-for-hours', hours],
          /It must be a whole number from 0 to 168/,
        ] as const,
    ),
    ['a key that there is not', ['revoke', '01a20c47-3d57-709f-ab6c-49d8478329dc'], /^There is no API key 01a20c47/],
  ] as const)('refuses %s, and says what it takes', async ([, args, words], { database }) => {
    const { code, stdout, stderr } = await keys(database, ...args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(words);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  test('says which variable is at fault when there is no database', async () => {
    expect(await keys({ url: '' }, 'list')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^Set DATABASE_URL to/) as string,
    });
    const nowhere = `postgresql://me:secret@127.0.0.1:${await freePort()}/leads`;
    const { code, stderr } = await keys({ url: nowhere }, 'list');
    expect(code).toBe(1);
    expect(stderr).toBe('The database of DATABASE_URL does not answer: start it, or correct the variable.\n');
  });
});
