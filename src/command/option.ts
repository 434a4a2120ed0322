import { InvalidArgumentError } from 'commander';
import type { z } from 'zod';

/** Reads an option by a schema, and refuses it in the schema's words. */
export function valid<T>(schema: z.ZodType<T>): (value: unknown) => T {
  return (value) => {
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    throw new InvalidArgumentError(`It ${parsed.error.issues.map(({ message }) => message).join('; ')}.`);
  };
}
