import { uuidv7 } from 'uuidv7';
import type { PrismaClient } from '../db/generated/client.ts';
import { NO_LEAD } from '../events/event.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Pause } from './endpoint.ts';
import { noteEndpoint } from './note.ts';
import type { Turn } from './turn.ts';

/** Nobody has asked for it. */
const NOBODY = { keyId: null, userId: null, ipAddress: null, userAgent: null };

/** Tells an endpoint nothing more until somebody wants it to go on, and says so: to other endpoints, and in the audit. */
export async function pauseEndpoint(
  { prisma, log }: { prisma: PrismaClient; log: Logger },
  { id: endpointId, organizationId }: Turn['endpoint'],
  reason: Exclude<Pause, 'requested'>,
): Promise<void> {
  const isPaused = await prisma.$transaction(async (tx) => {
    const { count } = await tx.webhookEndpoint.updateMany({
      where: { id: endpointId, paused: null },
      data: { paused: reason, updatedAt: new Date() },
    });
    if (count === 0 || organizationId === null) return count > 0;
    const data = { endpointId, reason };
    await tx.leadEvent.create({ data: { id: uuidv7(), leadId: endpointId, organizationId, type: NO_LEAD, data } });
    const caller = { ...NOBODY, requestId: `webhook-${endpointId}` };
    await noteEndpoint(tx, 'webhook.paused', { id: endpointId, organizationId }, caller, { reason });
    return true;
  });
  if (isPaused) log.warn({ endpointId, organizationId, reason }, 'webhook endpoint paused');
}
