import { type OpenField, toFieldValue } from '../field-kinds.ts';
import type { Findings } from '../provider.ts';

/** Where in an answer each field is: names and array positions with dots between, as in `company.tags.0`. */
export type FieldPaths = Partial<Record<OpenField, string>>;

/** Picks fields out of the JSON of an answer. What is missing, or of another kind than the field, is left out. */
export function mapFields(answer: unknown, paths: FieldPaths, confidence: number): Findings {
  const findings = Object.entries(paths).flatMap(([field, path]) => {
    const value = toFieldValue(field as OpenField, pick(answer, path));
    return value === undefined ? [] : [[field, { value, method: 'api', confidence }] as const];
  });
  return Object.fromEntries(findings);
}

function pick(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (at, key) =>
        typeof at === 'object' && at !== null && Object.hasOwn(at, key) ? at[key as keyof typeof at] : undefined,
      value,
    );
}
