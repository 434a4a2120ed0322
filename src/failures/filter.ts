import { z } from '@hono/zod-openapi';
import { organizationId, text } from '../db/text.ts';

/** The steps that an onboarding can fail at; `unknown` is of those that ended before their step was kept. */
export const FAILED_STEPS = ['notify', 'enrich', 'score', 'unknown'] as const;

const MAX_ERROR_TYPE = 200;

/** Postgres has no year 0. */
const time = z.iso.datetime().regex(/^(?!0000)/, 'must be a time of this era');

/** Which failures are meant; what is left out does not matter. */
export const failureFilterFields = {
  step: z.enum(FAILED_STEPS).optional(),
  errorType: text(MAX_ERROR_TYPE).optional().openapi({ example: 'crm:http-503' }),
  organizationId: organizationId.optional(),
  from: time.optional().openapi({ description: 'Failed then or later' }),
  until: time.optional().openapi({ description: 'Failed before' }),
};

export type FailureFilter = z.infer<z.ZodObject<typeof failureFilterFields>>;

const CONDITIONS: Record<keyof FailureFilter, (place: string) => string> = {
  step: (place) => `step = ${place}`,
  errorType: (place) => `error_type = ${place}`,
  organizationId: (place) => `organization_id = ${place}`,
  from: (place) => `at >= ${place}::timestamptz`,
  until: (place) => `at < ${place}::timestamptz`,
};

/**
 * A filter → its condition on `onboarding_failure`, and the values of its places.
 * @param taken places that the statement has already
 */
export function toCondition(filter: FailureFilter, taken = 0): { text: string; values: string[] } {
  const names = Object.keys(CONDITIONS) as (keyof FailureFilter)[];
  const given = names.flatMap((name) => (filter[name] === undefined ? [] : [{ name, value: filter[name] }]));
  const conditions = given.map(({ name }, index) => CONDITIONS[name](`$${taken + index + 1}`));
  return { text: conditions.join(' AND ') || 'true', values: given.map(({ value }) => value) };
}
