import { z } from '@hono/zod-openapi';
import { name, organizationId } from '../db/text.ts';
import { API_SCOPES, FORM_SCOPE } from './scopes.ts';

/** What a key is made from. */
export const newKeySchema = z
  .strictObject({
    organizationId,
    name: name(100).openapi({ example: 'web form', description: 'Tells its owner what it is for' }),
    scopes: z
      .array(z.enum(API_SCOPES, `must name scopes of ${API_SCOPES.join(', ')}`))
      .min(1, 'must name at least one scope')
      .refine((scopes) => new Set(scopes).size === scopes.length, 'must name each scope once')
      .refine(
        (scopes) => scopes.length === 1 || !scopes.includes(FORM_SCOPE),
        `must name ${FORM_SCOPE} alone: such a key stands in public pages`,
      ),
    expiresAt: z.iso
      .datetime()
      .transform((time) => new Date(time))
      .refine((time) => time.getTime() > Date.now(), 'must be in the future')
      .nullable()
      .default(null),
  })
  .openapi('NewApiKey');

export type NewKey = z.infer<typeof newKeySchema>;
