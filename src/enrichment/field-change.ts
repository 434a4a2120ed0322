import { z } from '@hono/zod-openapi';
import { OPEN_FIELD_NAMES, OPEN_FIELDS, type FieldKind, type OpenField, toFieldValue } from './field-kinds.ts';

const KINDS: Record<FieldKind, { schema: z.ZodType; what: string }> = {
  text: { schema: z.string().min(1).max(500), what: 'a text of 1 to 500 characters' },
  number: { schema: z.number(), what: 'a number' },
  list: { schema: z.array(z.string().min(1).max(500)).min(1).max(50), what: '1 to 50 texts' },
  url: { schema: z.string().max(500), what: 'an http or https address' },
  country: { schema: z.string().regex(/^[A-Z]{2}$/), what: 'a country code, ISO 3166-1 alpha-2' },
  domain: { schema: z.string().max(253), what: 'a domain, as acme.com.br' },
};

function valueSchema(field: OpenField) {
  const { schema, what } = KINDS[OPEN_FIELDS[field]];
  return schema
    .refine((value) => toFieldValue(field, value) !== undefined, `takes ${what}, or null`)
    .nullable()
    .optional();
}

/** Fields as somebody enters them; null takes back what a human entered before. */
export const fieldChangeSchema = z
  .strictObject({
    fields: z
      .strictObject(Object.fromEntries(OPEN_FIELD_NAMES.map((field) => [field, valueSchema(field)])))
      .refine((fields) => Object.keys(fields).length > 0, 'takes one field at least'),
  })
  .openapi('EnrichmentChange');

export type FieldChange = Partial<Record<OpenField, unknown>>;
