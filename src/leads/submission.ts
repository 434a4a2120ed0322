import { z } from '@hono/zod-openapi';
import { LEAD_PRIORITIES, LEAD_SOURCES } from '../../workflows/contract.ts';
import { isEmail } from './email.ts';
import { LEAD_STATUSES, LOCALES } from './lead.ts';
import { jsonObject, name, organizationId, text, userId } from '../db/text.ts';

/** As JSON: what a lead carries beside its fields, in every list and every answer. */
export const MAX_ATTRIBUTES_BYTES = 64 * 1024;

export const attributesSchema = jsonObject.refine(
  (value) => Buffer.byteLength(JSON.stringify(value)) <= MAX_ATTRIBUTES_BYTES,
  `must have at most ${MAX_ATTRIBUTES_BYTES} bytes as JSON`,
);

const fields = {
  name: name(200).openapi({ example: 'João Silva' }),
  email: text(254)
    .refine(isEmail, 'must be an e-mail address, as in joao@example.com')
    .nullable()
    .openapi({ example: 'joao@example.com' }),
  phone: name(50).nullable().openapi({ example: '+55 11 98765-4321' }),
  company: name(200).nullable().openapi({ example: 'Acme Corp' }),
  status: z.enum(LEAD_STATUSES),
  source: z.enum(LEAD_SOURCES),
  assignedTo: userId.nullable(),
  priority: z.enum(LEAD_PRIORITIES),
  locale: z.enum(LOCALES),
  attributes: attributesSchema,
};

/** The body of `POST /api/leads`. */
export const submissionSchema = z
  .strictObject({
    organizationId,
    name: fields.name,
    email: fields.email.default(null),
    phone: fields.phone.default(null),
    company: fields.company.default(null),
    status: fields.status.default('NEW'),
    source: fields.source.default('WEBSITE'),
    assignedTo: fields.assignedTo.default(null),
    priority: fields.priority.default('NORMAL'),
    locale: fields.locale.default('pt-BR'),
    attributes: fields.attributes.default({}).openapi({ default: {} }),
  })
  .openapi('LeadSubmission');

export type Submission = z.infer<typeof submissionSchema>;

/** The body of `PATCH /api/leads/{id}`: what is absent stays as it is. A patch to merge has the same form. */
export const leadChangeSchema = z
  .strictObject(fields)
  .partial()
  .refine((change) => Object.keys(change).length > 0, 'must name at least one field to change')
  .openapi('LeadChange');

export type LeadChange = z.infer<typeof leadChangeSchema>;
