import type { LeadSource, OnboardingState, ScoreBand } from '../../workflows/contract.ts';
import type { Prisma } from '../db/generated/client.ts';
import { decodeCursor, olderBy, olderThan, type Position, toPage } from '../db/paging.ts';
import { emailKey } from './email.ts';
import { LeadNotFound } from './errors.ts';
import { type TaggedLead, tagLead } from './etag.ts';
import { type LeadRow, type LeadStatus, toLead } from './lead.ts';
import { readListed } from './listing.ts';

/** @throws LeadNotFound */
export async function getLead(db: Prisma.TransactionClient, id: string): Promise<TaggedLead> {
  const row = await db.lead.findUnique({ where: { id } });
  if (!row) throw new LeadNotFound(id);
  return tagLead(row as LeadRow);
}

export interface LeadFilter {
  organizationId: string;
  /** Those that are put aside, or those that are not; without it these, and by `email` both. */
  archived?: boolean | undefined;
  status?: LeadStatus | undefined;
  source?: LeadSource | undefined;
  assignedTo?: string | undefined;
  scoreBand?: ScoreBand | undefined;
  onboardingState?: OnboardingState | undefined;
  /** As anybody may type it: leads have it as intake compares it. */
  email?: string | undefined;
  /** Part of a name, e-mail, company or phone, in any case; not together with `email`. */
  q?: string | undefined;
  limit: number;
  cursor?: string | undefined;
}

/** The leads of an organization, the newest first. @throws CursorError */
export async function listLeads(db: Prisma.TransactionClient, filter: LeadFilter) {
  const { limit, cursor, q, scoreBand, onboardingState } = filter;
  const after = cursor === undefined ? undefined : decodeCursor(cursor);
  if (filter.email !== undefined) return leadsWhere(db, filter, after, lookedUp(filter, filter.email));
  if (q !== undefined)
    return leadsWhere(db, filter, undefined, { id: { in: await searchLeads(db, filter, q, after) } });
  if (scoreBand) return readListed(db, limit, await leadsInBand(db, filter, scoreBand, after));
  if (onboardingState) return readListed(db, limit, await leadsInState(db, filter, onboardingState, after));
  return leadsWhere(db, filter, after, fieldsOf(filter));
}

async function leadsWhere(
  db: Prisma.TransactionClient,
  { organizationId, limit }: LeadFilter,
  after: Position | undefined,
  where: Prisma.LeadWhereInput,
) {
  const rows = (await db.lead.findMany({
    where: { organizationId, ...where, ...(after && { AND: [olderThan(after)] }) },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    take: limit + 1,
  })) as LeadRow[];
  return toPage(rows, limit, (row) => ({ at: row.createdAt, id: row.id }), toLead);
}

const fieldsOf = ({ archived = false, ...fields }: LeadFilter) => ({ archived, ...namedFields(fields) });

const namedFields = ({ status, source, assignedTo }: Pick<LeadFilter, 'status' | 'source' | 'assignedTo'>) => ({
  ...(status && { status }),
  ...(source && { source }),
  ...(assignedTo && { assignedTo }),
});

/** One lead at most has an e-mail, so that whatever else is asked for costs nothing. It is found in the archive too. */
const lookedUp = (filter: LeadFilter, email: string) => ({
  ...namedFields(filter),
  ...(filter.archived !== undefined && { archived: filter.archived }),
  ...(filter.scoreBand && { scoreBand: filter.scoreBand }),
  ...(filter.onboardingState && { onboardingState: filter.onboardingState }),
  emailKey: emailKey(email),
});

/** Scores have the times of their leads, so that those of a band come in the order of the list. */
async function leadsInBand(
  db: Prisma.TransactionClient,
  filter: LeadFilter,
  band: ScoreBand,
  after: Position | undefined,
): Promise<Position[]> {
  const { onboardingState: state } = filter;
  const { where, ...page } = besideLeads(filter, state ? { onboarding: { state } } : {}, after);
  return (await db.leadScore.findMany({ ...page, where: { ...where, band } })).map(toPosition);
}

/** The states of onboardings stand in a table that has the times of their leads as well. */
async function leadsInState(
  db: Prisma.TransactionClient,
  filter: LeadFilter,
  onboardingState: OnboardingState,
  after: Position | undefined,
): Promise<Position[]> {
  const { where, ...page } = besideLeads(filter, {}, after);
  return (await db.leadListing.findMany({ ...page, where: { ...where, onboardingState } })).map(toPosition);
}

/** A page of a table that has the ids and the times of leads, by the fields of the lead and more of its. */
function besideLeads(filter: LeadFilter, more: Prisma.LeadRecordWhereInput, after: Position | undefined) {
  const lead = { ...namedFields(filter), ...more };
  return {
    where: {
      organizationId: filter.organizationId,
      leadArchived: filter.archived ?? false,
      ...(Object.keys(lead).length > 0 && { lead }),
      ...(after && olderBy('leadCreatedAt', 'leadId', after)),
    },
    orderBy: [{ leadCreatedAt: 'desc' }, { leadId: 'desc' }] satisfies Prisma.LeadListingOrderByWithRelationInput[],
    take: filter.limit + 1,
    select: { leadId: true, leadCreatedAt: true },
  };
}

const toPosition = ({ leadId, leadCreatedAt }: { leadId: string; leadCreatedAt: Date }): Position => ({
  at: leadCreatedAt,
  id: leadId,
});

/** The ids of a page of leads that have a text in one of their fields. */
async function searchLeads(
  db: Prisma.TransactionClient,
  { organizationId, archived = false, status, source, assignedTo, scoreBand, onboardingState, limit }: LeadFilter,
  q: string,
  after: Position | undefined,
): Promise<string[]> {
  const filter = {
    archived,
    ...(status && { status }),
    ...(source && { source }),
    ...(assignedTo && { assigned_to: assignedTo }),
    ...(scoreBand && { score_band: scoreBand }),
    ...(onboardingState && { onboarding_state: onboardingState }),
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
