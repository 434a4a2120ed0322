import { z } from '@hono/zod-openapi';
import type { Pool } from 'pg';
import type { Prisma, WebhookAttempt as AttemptRow } from '../db/generated/client.ts';
import { deleteInBatches } from '../db/delete-in-batches.ts';
import { decodeCursor, olderBy, toPage } from '../db/paging.ts';
import { EndpointNotFound } from './errors.ts';
import { ATTEMPT_DAYS } from './limits.ts';

export const attemptSchema = z
  .object({
    eventId: z.uuid(),
    type: z.string(),
    attempt: z.number().int().openapi({ description: 'From 1, and anew when it is redelivered' }),
    at: z.iso.datetime(),
    durationMs: z.number().int(),
    status: z.number().int().nullable().openapi({ description: 'Null when nobody answered' }),
    error: z.string().nullable().openapi({ description: 'Why nobody did', example: 'connect-failed' }),
  })
  .openapi('WebhookAttempt');

/** When an endpoint was asked to take what, the newest first. @throws EndpointNotFound, CursorError */
export async function listAttempts(
  db: Prisma.TransactionClient,
  { endpointId, limit, cursor }: { endpointId: string; limit: number; cursor?: string | undefined },
) {
  const endpoint = await db.webhookEndpoint.findUnique({ where: { id: endpointId }, select: { id: true } });
  if (!endpoint) throw new EndpointNotFound(endpointId);
  const position = cursor === undefined ? undefined : decodeCursor(cursor);
  const rows = await db.webhookAttempt.findMany({
    where: { endpointId, ...(position && olderBy('at', 'eventId', position)) },
    orderBy: [{ at: 'desc' }, { eventId: 'desc' }],
    take: limit + 1,
  });
  return toPage(rows, limit, ({ at, eventId: id }) => ({ at, id }), toAttempt);
}

function toAttempt({
  eventId,
  type,
  attempt,
  at,
  durationMs,
  status,
  error,
}: AttemptRow): z.infer<typeof attemptSchema> {
  return { eventId, type, attempt, at: at.toISOString(), durationMs, status, error };
}

/** Forgets attempts, and what was given up, after some days. @returns how many */
export async function sweepWebhooks(pool: Pool, signal?: AbortSignal): Promise<number> {
  const attempts = await deleteInBatches(pool, deleteOlderThan('webhook_attempt', 'at'), signal);
  return attempts + (await deleteInBatches(pool, deleteOlderThan('webhook_delivery', 'failed_at'), signal));
}

const deleteOlderThan = (table: string, time: string) => `
  DELETE FROM ${table} WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM ${table} WHERE ${time} < now() - interval '${ATTEMPT_DAYS} days'
    ORDER BY ${time} LIMIT $1 FOR UPDATE SKIP LOCKED))`;
