import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { canonicalHash } from '../../src/leads/canonical-hash.ts';

it('is the SHA-256 of the JSON with sorted keys, at any depth', () => {
  expect(canonicalHash({ b: { d: [2, 1], c: null }, a: 'x' })).toBe(
    canonicalHash({ a: 'x', b: { c: null, d: [2, 1] } }),
  );
  expect(canonicalHash({ b: 2, a: 1 })).toBe(createHash('sha256').update('{"a":1,"b":2}').digest('base64url'));
});

it.each([
  ['another value', { a: 1 }, { a: 2 }],
  ['another key', { a: 1 }, { b: 1 }],
  ['another order of a list', { a: [1, 2] }, { a: [2, 1] }],
  ['a list in place of an object', { a: [1] }, { a: { 0: 1 } }],
])('tells %s apart', (_what, one, other) => {
  expect(canonicalHash(one)).not.toBe(canonicalHash(other));
});
