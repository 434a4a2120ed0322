import { z } from '@hono/zod-openapi';
import type { ApiKey as ApiKeyRow } from '../db/generated/client.ts';

/** A key as the API tells of it: all but its secret. */
export const apiKeySchema = z
  .object({
    id: z.uuid(),
    organizationId: z.string(),
    name: z.string(),
    scopes: z.array(z.string()),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime().nullable(),
    revokedAt: z.iso.datetime().nullable(),
    lastUsedAt: z.iso.datetime().nullable().openapi({ description: 'To the minute' }),
    madeByKey: z.uuid().nullable().openapi({ description: 'The key that made it, unless the command line did' }),
    madeByUser: z.string().nullable().openapi({ description: 'Whom `X-Actor-Id` named then' }),
    replaces: z.uuid().nullable().openapi({ description: 'The key in whose place it came' }),
  })
  .openapi('ApiKey');

export type ApiKey = z.infer<typeof apiKeySchema>;

/** A key just made, with the token that is never shown again. */
export const issuedKeySchema = apiKeySchema
  .extend({ token: z.string().openapi({ description: 'Shown this once', example: 'lok_0199…_…' }) })
  .openapi('IssuedApiKey');

export type IssuedKey = z.infer<typeof issuedKeySchema>;

/** A stored row → the key as the API tells of it. */
export function toApiKey(row: ApiKeyRow): ApiKey {
  return {
    id: row.id,
    organizationId: row.organizationId,
    name: row.name,
    scopes: row.scopes,
    createdAt: row.createdAt.toISOString(),
    expiresAt: row.expiresAt?.toISOString() ?? null,
    revokedAt: row.revokedAt?.toISOString() ?? null,
    lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
    madeByKey: row.madeByKey,
    madeByUser: row.madeByUser,
    replaces: row.replaces,
  };
}
