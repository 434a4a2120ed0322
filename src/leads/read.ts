import type { LeadSource, ScoreBand } from '../../workflows/contract.ts';
import type { Prisma } from '../db/generated/client.ts';
import { decodeCursor, olderBy, olderThan, type Position, toPage } from '../db/paging.ts';
import { LeadNotFound } from './errors.ts';
import { type TaggedLead, tagLead } from './etag.ts';
import { type LeadRow, type LeadStatus, toLead } from './lead.ts';

/** @throws LeadNotFound */
export async function getLead(db: Prisma.TransactionClient, id: string): Promise<TaggedLead> {
  const row = await db.lead.findUnique({ where: { id } });
  if (!row) throw new LeadNotFound(id);
  return tagLead(row as LeadRow);
}

export interface LeadFilter {
  organizationId: string;
  status?: LeadStatus | undefined;
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
  const { organizationId, limit, cursor } = filter;
  const after = cursor === undefined ? undefined : decodeCursor(cursor);
  const found = await findIds(db, filter, after);
  const where = found
    ? { organizationId, id: { in: found } }
    : { organizationId, ...fieldsOf(filter), ...(after && { AND: [olderThan(after)] }) };
  const rows = (await db.lead.findMany({
    where,
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    take: limit + 1,
  })) as LeadRow[];
  return toPage(rows, limit, (row) => ({ at: row.createdAt, id: row.id }), toLead);
}

const fieldsOf = ({ status, source, assignedTo }: LeadFilter) => ({
  ...(status && { status }),
  ...(source && { source }),
  ...(assignedTo && { assignedTo }),
});

/** The ids of a page where it stands on an index of its own; undefined where the leads are listed as they are. */
async function findIds(
  db: Prisma.TransactionClient,
  filter: LeadFilter,
  after: Position | undefined,
): Promise<string[] | undefined> {
  if (filter.q !== undefined) return searchLeads(db, filter, filter.q, after);
  return filter.scoreBand && leadsInBand(db, filter, filter.scoreBand, after);
}

/** Scores have the times of their leads, so that those of a band come in the order of the list. */
async function leadsInBand(
  db: Prisma.TransactionClient,
  filter: LeadFilter,
  band: ScoreBand,
  after: Position | undefined,
): Promise<string[]> {
  const fields = fieldsOf(filter);
  const rows = await db.leadScore.findMany({
    where: {
      organizationId: filter.organizationId,
      band,
      ...(Object.keys(fields).length > 0 && { lead: fields }),
      ...(after && olderBy('leadCreatedAt', 'leadId', after)),
    },
    orderBy: [{ leadCreatedAt: 'desc' }, { leadId: 'desc' }],
    take: filter.limit + 1,
    select: { leadId: true },
  });
  return rows.map(({ leadId }) => leadId);
}

/** The ids of a page of leads that have a text in one of their fields. */
async function searchLeads(
  db: Prisma.TransactionClient,
  { organizationId, status, source, assignedTo, scoreBand, limit }: LeadFilter,
  q: string,
  after: Position | undefined,
): Promise<string[]> {
  const filter = {
    ...(status && { status }),
    ...(source && { source }),
    ...(assignedTo && { assigned_to: assignedTo }),
    ...(scoreBand && { score_band: scoreBand }),
    ...(after && { before_at: after.at, before_id: after.id }),
  };
  const rows = await db.$queryRaw<{ id: string }[]>`
    SELECT id FROM search_leads(${organizationId}, ${patternsOf(q)}, ${JSON.stringify(filter)}::jsonb, ${limit + 1}) AS id`;
  return rows.map(({ id }) => id);
}

/** Trigrams find a part of three characters or more anywhere; what is shorter is looked for where words begin. */
function patternsOf(q: string): string[] {
  const part = q.replace(/[\\%_]/g, '\\$&');
  return q.length < 3 ? [`${part}%`, `% ${part}%`] : [`%${part}%`];
}
