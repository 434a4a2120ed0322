import { z } from '@hono/zod-openapi';
import type { LeadSource } from '../../workflows/contract.ts';
import { type Submission, submissionSchema } from '../leads/submission.ts';
import { text } from '../db/text.ts';

const MAX_URL = 2_000;

/** What a page may say of where its lead came from. The others speak of somebody who vouches for the lead. */
export const FORM_SOURCES = ['WEBSITE', 'FORM', 'ADS', 'EVENT', 'OTHER'] as const satisfies LeadSource[];

/**
 * What a public web form sends. Whoever sees a form can change what it sends: it decides neither status nor priority.
 * @param returnOrigins the sites that a visitor may be sent on to
 */
export const leadFormSchema = (returnOrigins: readonly string[]) =>
  z
    .strictObject({
      ...submissionSchema.omit({ status: true, priority: true }).shape,
      organizationId: submissionSchema.shape.organizationId
        .optional()
        .openapi({ description: "Needed while the API works without keys; else the key's own" }),
      source: z
        .enum(FORM_SOURCES, `must be one of ${FORM_SOURCES.join(', ')}: a form vouches for nothing else`)
        .default('FORM'),
      key: text(200).optional().openapi({ description: 'A key that may do nothing but create leads' }),
      token: z.string().default('').openapi({ description: 'Of `GET /forms/token` or `/forms/guard.js`' }),
      website: z.string().default('').openapi({ description: 'Hidden from people: filled, the lead is dropped' }),
      returnTo: z
        .url({ protocol: /^https?$/, error: 'must be a whole http or https address', abort: true })
        .max(MAX_URL)
        .refine((url) => returnOrigins.includes(new URL(url).origin), 'must be on a site of FORM_RETURN_ORIGINS')
        .optional()
        .openapi({ description: 'Where the visitor is sent next', example: 'https://www.example.com/thank-you' }),
    })
    .openapi('LeadForm');

export type LeadForm = z.infer<ReturnType<typeof leadFormSchema>>;

/** The lead that a form of this organization brings. */
export function toSubmission(form: LeadForm, organizationId: string): Submission {
  const { name, email, phone, company, source, assignedTo, locale, attributes } = form;
  const decidedHere = { organizationId, status: 'NEW', priority: 'NORMAL' } as const;
  return { name, email, phone, company, source, assignedTo, locale, attributes, ...decidedHere };
}
