import { z } from '@hono/zod-openapi';
import { cleanName, hidesNothing } from './visible-text.ts';

/** Says whether Postgres keeps the string as it is: it refuses NUL, and changes half a surrogate pair without a word. */
export const isStorable = (text: string) => !text.includes('\0') && text.isWellFormed();

/** Text of a caller's, trimmed, of 1 to `max` characters. */
export const text = (max: number) =>
  z
    .string()
    .refine(isStorable, { error: 'must not contain NUL or half of a surrogate pair', abort: true })
    .trim()
    .min(1, 'must not be empty')
    .max(max, `must have at most ${max} characters`);

/** A name of 1 to `max` characters, cleaned of what nobody sees in it. */
export const name = (max: number) =>
  z
    .string()
    .refine(isStorable, { error: 'must not contain NUL or half of a surrogate pair', abort: true })
    .overwrite(cleanName)
    .min(1, 'must not be empty')
    .max(max, `must have at most ${max} characters`);

const id = text(200).refine(hidesNothing, 'must not contain characters that nobody sees');

/** Ids that callers make, of whatever their own systems call them by. */
export const organizationId = id.openapi({ example: 'org-123' });
export const userId = id.openapi({ example: 'user-456' });

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

const MAX_DEPTH = 20;

/**
 * An object of the caller's own making, stored as it is: at most 20 levels deep, each value and key storable.
 * Not a `z.record`, which drops a key named `__proto__` without a word.
 */
export const jsonObject = z
  .custom<Record<string, Json>>(
    (value) => isObject(value) && isStorableJson(value, MAX_DEPTH),
    `must be an object at most ${MAX_DEPTH} levels deep, without NUL, half of a surrogate pair or a number past 1.8e308`,
  )
  .openapi({ type: 'object', additionalProperties: {} });

const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);

function isStorableJson(value: unknown, depth: number): boolean {
  if (typeof value === 'string') return isStorable(value);
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return true;
  if (depth === 0) return false;
  return Object.entries(value).every(([key, item]) => isStorable(key) && isStorableJson(item, depth - 1));
}
