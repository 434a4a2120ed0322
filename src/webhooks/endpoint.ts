import { z } from '@hono/zod-openapi';
import type { WebhookEndpoint as EndpointRow } from '../db/generated/client.ts';
import { organizationId, text } from '../db/text.ts';
import { EVENT_TYPES } from '../events/event.ts';

/** Why an endpoint is told nothing: somebody wants it so, it said 410, or it failed for days. */
export const PAUSES = ['requested', 'gone', 'failing'] as const;
export type Pause = (typeof PAUSES)[number];

const fields = {
  url: z
    .url({ protocol: /^https?$/, error: 'must be an https address' })
    .max(2_000)
    .openapi({
      description: 'Where events are posted to: https, at a public address. Redirects are not followed',
      example: 'https://crm.example.com/hooks/leads',
    }),
  description: z.union([text(200), z.literal('')]).openapi({ description: 'What it is for', example: 'CRM' }),
  types: z
    .array(z.enum(EVENT_TYPES))
    .min(1)
    .max(EVENT_TYPES.length)
    .nullable()
    .openapi({
      description: 'Of the events that it is told of; `null` for all, also those that are still to be invented',
      example: ['score.calculated', 'lead.erased'],
    }),
  includePersonalData: z.boolean().openapi({
    description: 'Whether events say what they have of persons. Asks for a key with `leads:read`',
  }),
};

/** The body of `POST /api/webhooks`. */
export const newEndpointSchema = z
  .strictObject({
    organizationId: organizationId.optional(),
    url: fields.url,
    description: fields.description.default(''),
    types: fields.types.default(null),
    includePersonalData: fields.includePersonalData.default(false),
  })
  .openapi('NewWebhookEndpoint');

/** The body of `PATCH /api/webhooks/{id}`: what is absent stays as it is. */
export const endpointChangeSchema = z
  .strictObject({
    ...fields,
    state: z.enum(['active', 'paused']).openapi({
      description: '`active` goes on where it was paused: nothing of the last 30 days is left out',
    }),
  })
  .partial()
  .refine((change) => Object.keys(change).length > 0, 'must name at least one field to change')
  .openapi('WebhookEndpointChange');

export type NewEndpoint = z.infer<typeof newEndpointSchema>;
export type EndpointChange = z.infer<typeof endpointChangeSchema>;

/** An endpoint as the API answers it. */
export const endpointSchema = z
  .object({
    id: z.uuid(),
    organizationId: z.string().nullable(),
    ...fields,
    types: z.array(z.string()).nullable(),
    state: z.enum(['active', 'paused']),
    pausedBecause: z.enum(PAUSES).nullable().openapi({ description: '`gone`: it said 410; `failing`: for three days' }),
    failingSince: z.iso.datetime().nullable(),
    nextAttemptAt: z.iso.datetime().nullable().openapi({ description: 'Of one that fails' }),
    setAside: z.number().int().openapi({ description: 'Events that it did not take, and that are tried again' }),
    givenUp: z.number().int().openapi({ description: 'Events that are not tried any more: redeliver them' }),
    oldSecretUntil: z.iso.datetime().nullable().openapi({ description: 'For which the secret before signs as well' }),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .openapi('WebhookEndpoint');

/** The same when its secret is told. */
export const issuedEndpointSchema = endpointSchema
  .extend({ secret: z.string().openapi({ example: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' }) })
  .openapi('IssuedWebhookEndpoint');

export type Endpoint = z.infer<typeof endpointSchema>;

/** A row, and how many deliveries of it stand how → the endpoint as the API answers it. */
export function toEndpoint(row: EndpointRow, { setAside, givenUp }: Pick<Endpoint, 'setAside' | 'givenUp'>): Endpoint {
  const signsTwice = row.oldSecretUntil !== null && row.oldSecretUntil > new Date();
  return {
    id: row.id,
    organizationId: row.organizationId,
    url: row.url,
    description: row.description,
    types: row.types.length === 0 ? null : row.types,
    includePersonalData: row.withPersons,
    state: row.paused === null ? 'active' : 'paused',
    pausedBecause: row.paused as Pause | null,
    failingSince: row.failingSince?.toISOString() ?? null,
    nextAttemptAt: row.failingSince && row.paused === null ? row.nextAt.toISOString() : null,
    setAside,
    givenUp,
    oldSecretUntil: signsTwice ? (row.oldSecretUntil?.toISOString() ?? null) : null,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}
