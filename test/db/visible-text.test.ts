import { describe, expect, test } from 'vitest';
import { cleanName, hidesNothing } from '../../src/db/visible-text.ts';

describe('a name', () => {
  test.for([
    ['a turn to the left', 'Ana \u202egnp.exe', 'Ana gnp.exe'],
    [
      'every mark, embedding and isolate',
      'A\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069na',
      'Ana',
    ],
    ['spaces without width and byte order marks', '\ufeffA\u200bn\u2060a\u00ad', 'Ana'],
    ['control characters', 'A\u0007n\u001b[31m\u009b2Ja', 'An[31m2Ja'],
    ['letters of tags', 'Ana\u{e0041}\u{e007f}', 'Ana'],
    ['joiners between Latin letters', 'A\u200dn\u200c\u200da', 'Ana'],
    ['a joiner too many', 'می\u200c\u200c\u200cخواهم', 'می\u200cخواهم'],
  ] as const)('loses %s', ([, typed, seen]) => {
    expect(cleanName(typed)).toBe(seen);
  });

  test('stays one line', () => {
    expect(cleanName('Ana\r\nSilva\t\u2028Souza\n')).toBe('Ana Silva Souza');
  });

  test.for([
    'João da Silva',
    'علی\u200cرضا',
    'শ্রী\u09cd\u200d',
    'ക്\u200d',
    '👩\u200d💻 Ana',
    'O’Brien-Łącki',
    '李小龍',
    'שָׁלוֹם',
  ])('keeps %s', (typed) => {
    expect(cleanName(typed)).toBe(typed);
  });
});

test.for(['user\u202e', 'user\u200b', 'us\ter', 'us\u0085er'])('an id in which something hides is told: %j', (id) => {
  expect([hidesNothing(id), hidesNothing('user-456')]).toEqual([false, true]);
});
