import { uuidv7 } from 'uuidv7';
import type { Caller } from '../audit/caller.ts';
import type { Prisma } from '../db/generated/client.ts';
import { LeadNotFound } from './errors.ts';
import { type TaggedLead, tagLead } from './etag.ts';
import type { LeadRow } from './lead.ts';
import { lockLead } from './lock-lead.ts';
import { noteActivity } from './note-activity.ts';

/**
 * Puts a lead aside, or brings it back; its onboarding goes on. A lead that is where it is to be stays as it is.
 * @throws LeadNotFound
 */
export async function archiveLead(
  tx: Prisma.TransactionClient,
  id: string,
  archived: boolean,
  caller: Caller,
): Promise<TaggedLead> {
  const before = await lockLead(tx, id);
  if (!before) throw new LeadNotFound(id);
  if (before.archived === archived) return tagLead(before);
  await tx.leadRecord.update({
    where: { id },
    data: { archived, version: { increment: 1 } },
    select: { id: true },
  });
  await noteActivity(tx, id);
  await tx.leadEvent.create({
    data: {
      id: uuidv7(),
      leadId: id,
      organizationId: before.organizationId,
      type: archived ? 'lead.archived' : 'lead.unarchived',
      metadata: caller as unknown as Prisma.InputJsonObject,
    },
    select: { id: true },
  });
  return tagLead((await tx.lead.findUniqueOrThrow({ where: { id } })) as LeadRow);
}
