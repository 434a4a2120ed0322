import type { LeadSource, ScoreBand } from '../../workflows/contract.ts';
import type { Prisma } from '../db/generated/client.ts';
import { decodeCursor, olderThan, toPage } from '../db/paging.ts';
import { LeadNotFound } from './errors.ts';
import { type TaggedLead, tagLead } from './etag.ts';
import { type LEAD_STATUSES, toLead } from './lead.ts';

/** @throws LeadNotFound */
export async function getLead(db: Prisma.TransactionClient, id: string): Promise<TaggedLead> {
  const row = await db.lead.findUnique({ where: { id } });
  if (!row) throw new LeadNotFound(id);
  return tagLead(row);
}

export interface LeadFilter {
  organizationId: string;
  status?: (typeof LEAD_STATUSES)[number] | undefined;
  source?: LeadSource | undefined;
  assignedTo?: string | undefined;
  scoreBand?: ScoreBand | undefined;
  /** Part of a name, e-mail, company or phone, in any case. */
  q?: string | undefined;
  limit: number;
  cursor?: string | undefined;
}

/** The leads of an organization, the newest first. @throws CursorError */
export async function listLeads(db: Prisma.TransactionClient, filter: LeadFilter) {
  const { organizationId, status, source, assignedTo, scoreBand, q, limit, cursor } = filter;
  const rows = await db.lead.findMany({
    where: {
      organizationId,
      ...(status && { status }),
      ...(source && { source }),
      ...(assignedTo && { assignedTo }),
      ...(scoreBand && { scoreBand }),
      AND: [q === undefined ? {} : contains(q), cursor === undefined ? {} : olderThan(decodeCursor(cursor))],
    },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    take: limit + 1,
  });
  return toPage(rows, limit, (row) => ({ at: row.createdAt, id: row.id }), toLead);
}

function contains(q: string): Prisma.LeadWhereInput {
  const part = { contains: q.replace(/[\\%_]/g, '\\$&'), mode: 'insensitive' } as const;
  return { OR: [{ name: part }, { email: part }, { company: part }, { phone: part }] };
}
