import { InvalidArgumentError } from 'commander';
import { z } from 'zod';

/** Reads an option by a schema, and refuses it in the schema's words. */
export function valid<T>(schema: z.ZodType<T>): (value: unknown) => T {
  return (value) => {
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    throw new InvalidArgumentError(`It ${parsed.error.issues.map(({ message }) => message).join('; ')}.`);
  };
}

/** Reads a whole number within bounds; nothing at all, as of a variable that is not set, is none. */
export function wholeNumber(least: number, most: number) {
  const form = `must be a whole number from ${least} to ${most}`;
  const inBounds = (value: number) => value >= least && value <= most;
  return valid(z.string().regex(/^\d+$/, form).transform(Number).refine(inBounds, form));
}
