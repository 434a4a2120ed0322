import type { Prisma } from '../db/generated/client.ts';
import { decodeCursor, newerBy, type Position, toPage } from '../db/paging.ts';
import { type Lead, type LeadRow, toLead } from './lead.ts';

/**
 * A page of leads by their places in a list, which was read one too far. The places stand for where it goes on: a lead
 * may be changed or erased after its place was read.
 * @param list tells cursors of this list from those of others
 */
export async function readListed(db: Prisma.TransactionClient, limit: number, places: Position[], list = '') {
  const rows = (await db.lead.findMany({ where: { id: { in: places.map(({ id }) => id) } } })) as LeadRow[];
  const leads = new Map(rows.map((row) => [row.id, toLead(row)]));
  const page = toPage(
    places,
    limit,
    ({ at, id }) => ({ at, id: list + id }),
    ({ id }) => leads.get(id) ?? null,
  );
  return { ...page, items: page.items.filter((lead): lead is Lead => lead !== null) };
}

export interface ChangeFilter {
  organizationId: string;
  /** Changes of this time and later ones; without it all. */
  since?: Date | undefined;
  limit: number;
  cursor?: string | undefined;
}

const LIST = 'changed-';
const PLACE = /^changed-[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

/**
 * The leads of an organization, the one whose last change is the oldest first. A lead that changes meanwhile moves on
 * towards the end, so that who reads on sees it there; a change that is not committed yet holds back those
 * after it, so that none is passed over.
 * @throws CursorError
 */
export async function listChangedLeads(
  db: Prisma.TransactionClient,
  { organizationId, since, limit, cursor }: ChangeFilter,
) {
  const after = cursor === undefined ? undefined : decodeCursor(cursor, PLACE);
  const [settled] = await db.$queryRaw<{ until: Date }[]>`SELECT lead_changes_settled_until() AS until`;
  const until = settled?.until ?? new Date(0);
  const rows = await db.leadListing.findMany({
    where: {
      organizationId,
      AND: [
        { changedAt: { lt: until, ...(since && { gte: since }) } },
        after ? newerBy('changedAt', 'leadId', { at: after.at, id: after.id.slice(LIST.length) }) : {},
      ],
    },
    orderBy: [{ changedAt: 'asc' }, { leadId: 'asc' }],
    take: limit + 1,
    select: { leadId: true, changedAt: true },
  });
  const places = rows.map(({ leadId, changedAt }) => ({ at: changedAt, id: leadId }));
  const page = await readListed(db, limit, places, LIST);
  // One that has changed since its place was read comes again further on: until then others may have changed before it.
  return { ...page, items: page.items.filter(({ updatedAt }) => new Date(updatedAt) < until) };
}
