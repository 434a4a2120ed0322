import { InvalidArgumentError } from 'commander';
import { z } from 'zod';
import { newKeySchema } from '../new-key.ts';

const MS_PER_HOUR = 3_600_000;
const count = z.coerce.number('must be a whole number').int('must be a whole number').max(36_500);

export const [readName, readDays, readHours, readId] = [
  valid(newKeySchema.shape.name),
  valid(count.min(1)),
  valid(count.min(0)),
  valid(z.uuid('must be the id of a key')),
];

/** Reads an option by a schema, and refuses it in the schema's words. */
export function valid<T>(schema: z.ZodType<T>): (value: unknown) => T {
  return (value) => {
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    throw new InvalidArgumentError(`It ${parsed.error.issues.map(({ message }) => message).join('; ')}.`);
  };
}

export const hoursToMs = (hours: number): number => hours * MS_PER_HOUR;

/** When a key that lasts so many days ends; null for one that has no end. */
export const endAfter = (days: number | undefined): Date | null =>
  days === undefined ? null : new Date(Date.now() + hoursToMs(days * 24));
