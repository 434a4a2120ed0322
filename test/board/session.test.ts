import { expect, test } from 'vitest';
import { createSessions, SESSION_HOURS } from '../../src/board/session.ts';

const session = { key: 'lop_secret', actor: 'Ana' };

test('what is sealed is opened again, and tells nothing until then', () => {
  const sessions = createSessions();
  const sealed = sessions.seal(session);
  expect(sessions.open(sealed)).toEqual(session);
  expect(Buffer.from(sealed, 'base64url').toString('latin1')).not.toMatch(/lop_|Ana/);
  expect(sessions.seal(session)).not.toBe(sealed);
});

test.for([
  ['nothing', ''],
  ['nonsense', 'nonsense'],
  ['what is too short', 'AAAA'],
  ['what another process has sealed', createSessions().seal(session)],
])('%s is not opened', ([, sealed = '']) => {
  expect(createSessions().open(sealed)).toBeUndefined();
});

test('what was changed is not opened', () => {
  const sessions = createSessions();
  const bytes = Buffer.from(sessions.seal(session), 'base64url');
  for (const index of [0, 12, 28, bytes.length - 1]) {
    const changed = Buffer.from(bytes);
    changed[index] = (changed[index] ?? 0) ^ 1;
    expect(sessions.open(changed.toString('base64url'))).toBeUndefined();
  }
});

test('a session ends with its time', () => {
  let now = 0;
  const sessions = createSessions(() => now);
  const sealed = sessions.seal(session);
  now = SESSION_HOURS * 3_600_000 - 1;
  expect(sessions.open(sealed)).toEqual(session);
  now += 1;
  expect(sessions.open(sealed)).toBeUndefined();
});
