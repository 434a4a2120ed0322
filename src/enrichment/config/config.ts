import { z } from 'zod';
import { FIELD_NAMES, OPEN_FIELD_NAMES } from '../field-kinds.ts';
import { PLACEHOLDER_NAMES, placeholdersOf } from '../http-source/url-template.ts';
import { WRITE_POLICIES } from '../stored.ts';

/** Providers that are there without any configuration, in the order in which they are asked. */
export const BUILT_IN = ['email', 'phone', 'company', 'mail-domain', 'web-site'] as const;

const hours = z.number().min(0).max(8_784);
const timeoutMs = z.number().int().min(100).max(10_000);
const dailyBudget = z.number().int().min(0).max(1_000_000_000);
const limits = {
  timeoutMs: timeoutMs.default(8_000),
  cacheHours: z.strictObject({ found: hours.default(168), nothing: hours.default(24) }).prefault({}),
  dailyBudget: dailyBudget.default(1_000),
};

const PLACES = /^https?:\/\/[^/?#{}\s]+([/?#]|$)/;
const url = z
  .string()
  .regex(PLACES, 'takes http or https and a host that has no part in braces')
  .refine((text) => URL.canParse(text.replace(/[{}]/g, '')), 'is not an address')
  .superRefine((text, context) => {
    const unknown = placeholdersOf(text).filter((name) => !PLACEHOLDER_NAMES.includes(name));
    if (unknown.length === 0) return;
    context.addIssue({
      code: 'custom',
      message: `takes ${PLACEHOLDER_NAMES.join(', ')} in braces, not ${unknown.join()}`,
    });
  });

const headerName = z.string().regex(/^[A-Za-z0-9-]{1,64}$/, 'takes the name of a header');
const headerValue = z.string().regex(/^[\x20-\x7e]{0,500}$/, 'takes printable ASCII');
const path = z.string().regex(/^[^.\s]+(\.[^.\s]+)*$/, 'takes names with dots between, as in company.name');

const httpSource = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{1,39}$/, 'takes 2 to 40 small letters, digits and dashes')
    .refine((name) => name !== 'human' && !BUILT_IN.some((builtIn) => builtIn === name), 'is taken'),
  url,
  auth: z
    .strictObject({
      header: headerName.default('authorization'),
      prefix: headerValue.default('Bearer '),
      env: z.string().regex(/^[A-Z_][A-Z0-9_]*$/, 'takes the name of an environment variable'),
    })
    .optional(),
  headers: z.record(headerName, headerValue).default({}),
  fields: z
    .partialRecord(z.enum(OPEN_FIELD_NAMES), path)
    .refine((fields) => Object.keys(fields).length > 0, 'takes one field at least'),
  confidence: z.number().min(0).max(1).default(0.7),
  ...limits,
  circuit: z
    .strictObject({
      failures: z.number().int().min(1).max(1_000).default(5),
      pauseSeconds: z.number().min(1).max(3_600).default(30),
    })
    .prefault({}),
});

/** The file that `ENRICHMENT_CONFIG` names; every part may be left out. */
export const configSchema = z
  .strictObject({
    order: z.array(z.string()).optional(),
    userAgent: headerValue.min(1).default('lead-onboarding/0.1'),
    writePolicy: z.partialRecord(z.enum(FIELD_NAMES), z.enum(WRITE_POLICIES)).default({}),
    mailDomain: z.strictObject({ cacheHours: limits.cacheHours }).prefault({}),
    webSite: z
      .strictObject({
        ...limits,
        timeoutMs: z.number().int().min(1_000).max(8_000).default(8_000),
        dailyBudget: dailyBudget.default(20_000),
      })
      .prefault({}),
    http: z.array(httpSource).max(20).default([]),
  })
  .superRefine(({ order, http }, context) => {
    const names = http.map(({ name }) => name);
    const known = [...BUILT_IN, ...names];
    names.forEach((name, index) => {
      if (names.indexOf(name) !== index) {
        context.addIssue({ code: 'custom', path: ['http', index, 'name'], message: `${name} is there twice` });
      }
    });
    order?.forEach((name, index) => {
      const problem = !known.includes(name) ? `is none of ${known.join(', ')}` : 'is there twice';
      if (!known.includes(name) || order.indexOf(name) !== index) {
        context.addIssue({ code: 'custom', path: ['order', index], message: `${name} ${problem}` });
      }
    });
  });

export type EnrichmentConfig = z.infer<typeof configSchema>;
export type HttpSourceConfig = EnrichmentConfig['http'][number];
