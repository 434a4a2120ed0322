import type { Hook } from '@hono/zod-openapi';
import { z } from '@hono/zod-openapi';
import { organizationId } from '../../db/text.ts';
import type { HttpEnv } from '../context.ts';
import { Problem } from '../answers/problem.ts';

const WHERE = {
  json: 'body',
  query: 'query',
  param: 'path',
  header: 'headers',
  form: 'body',
  cookie: 'cookies',
} as const;

/** Answers what zod refuses as a 400 that names each field. Values are never repeated. */
export const answerInvalid: Hook<unknown, HttpEnv, string, unknown> = (result) => {
  if (!result.success) throw invalid(result.error, WHERE[result.target]);
};

/** What zod refuses, as a problem. `where` is what has to be corrected. */
export function invalid(error: z.ZodError, where: string): Problem {
  const errors = error.issues.flatMap((issue) => {
    const path = toText(issue.path);
    if (issue.code !== 'unrecognized_keys') return [{ path, message: issue.message }];
    return issue.keys.map((key) => ({ path: [path, key].filter(Boolean).join('.'), message: 'is not known here' }));
  });
  return new Problem(400, 'invalid-request', `Correct the ${where}: see errors.`, { errors });
}

/** `rules[3].when`: as one would write it in JavaScript. */
const toText = (path: PropertyKey[]) =>
  path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? String(part) : `${text}.${String(part)}`;
  }, '');

/** A number in a query: refused outside of its bounds, never clamped. */
export const wholeNumber = (min: number, max: number, preset: number) =>
  z
    .string()
    .regex(/^\d{1,6}$/, `must be a whole number from ${min} to ${max}`)
    .transform(Number)
    .pipe(z.number().min(min, `must be from ${min} to ${max}`).max(max, `must be from ${min} to ${max}`))
    .default(preset)
    .openapi({ type: 'integer', minimum: min, maximum: max, default: preset });

/** A moment in a query. Postgres has no year 0. */
export const instant = z.iso
  .datetime()
  .regex(/^(?!0000)/, 'must be a time of this era')
  .transform((time) => new Date(time))
  .openapi({ type: 'string', format: 'date-time' });

/** A page's size, from 1 to `max`. */
export const limit = (max: number, preset: number) => wholeNumber(1, max, preset);

export const cursor = z.string().max(200).optional().openapi({ description: '`nextCursor` of the page before' });

export const idParam = z.object({ id: z.uuid('must be a UUID').openapi({ param: { name: 'id', in: 'path' } }) });

/** Of a list: for `organizationOf`. */
export const ownOrganization = organizationId
  .optional()
  .openapi({ description: "The key's own, which is also the default; required while the API works without keys" });

/** The query of a route that takes none: a parameter is refused, not ignored. */
export const noQuery = z.strictObject({});

/** The header of an answer that is a lead. */
export const etagHeader = {
  etag: z.string().openapi({
    description:
      'Of this state of the lead: for `If-Match` when it is changed, for `If-None-Match` when it is read again',
    example: '"3-rmHT1Kb8q2cWvYt0xPn5Zg"',
  }),
};

/** A JSON answer, for a route's `responses`. */
export const answers = <Schema extends z.ZodType>(description: string, schema: Schema) => ({
  description,
  content: { 'application/json': { schema } },
});
