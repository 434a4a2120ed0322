import { Prisma } from '../db/generated/client.ts';
import { MAX_PAGE_BYTES } from '../db/paging.ts';
import { ERASURE } from '../leads/erasure-record.ts';
import { EVENT_DAYS } from './clock.ts';
import { type EntryRow, type Event, type EventType, NO_LEAD, toEvent } from './event.ts';
import type { Position } from './position.ts';

/** Entries that one read looks at, where it looks for some types only. */
const LOOKED_AT = 1_000;

/** The feed does not have all that came after the cursor: it is too old, or of a database that is no more. */
export class CursorGone extends Error {
  override name = 'CursorGone';
}

export interface FeedRead {
  organizationId: string;
  /** By default from the oldest event that is given out. */
  after?: Position | undefined;
  /** By default all. */
  types?: readonly EventType[] | undefined;
  limit: number;
  /** Whether events may tell of persons. */
  withPersons: boolean;
}

export interface FeedPage {
  items: Event[];
  /** Where to go on, now or later. */
  next: Position;
  /** Whether there is more already. */
  hasMore: boolean;
}

interface Bounds {
  settled: string;
  oldest: string;
}

/** Of one row at least: where there is no entry only the bounds stand in it. */
type FeedRow = Bounds & { isAsked: boolean } & (EntryRow | { [Column in keyof EntryRow]: null });

/** From where the feed is given out, and up to where nothing can still appear. */
const BOUNDS = Prisma.sql`
  SELECT pg_snapshot_xmin(pg_current_snapshot()) AS settled,
         coalesce((SELECT c.xid FROM feed_clock c WHERE c.at <= now() - ${EVENT_DAYS}::integer * interval '1 day'
                   ORDER BY c.at DESC LIMIT 1), '0') AS oldest`;

function boundsOf([row]: readonly Bounds[]): { end: bigint; oldest: bigint } {
  if (!row) throw new Error('the feed has no bounds');
  return { end: BigInt(row.settled), oldest: BigInt(row.oldest) };
}

/**
 * What happened to the leads of an organization, in an order in which nothing appears late: by the transaction that
 * wrote it, and only what is of before every transaction that is under way. So whoever goes on after a cursor gets each
 * event once, and all readers get them in the same order. An erased lead leaves one event, which says so.
 * @throws CursorGone
 */
export async function readFeed(db: Prisma.TransactionClient, read: FeedRead): Promise<FeedPage> {
  const { organizationId, types, limit, withPersons, after } = read;
  const lookedAt = types ? LOOKED_AT : limit;
  const rows = await db.$queryRaw<FeedRow[]>`
    SELECT b.settled::text, b.oldest::text, e.xid::text, e.seq::text, e.id, e.lead_id AS "leadId", e.type, e.at,
           CASE WHEN asked.for_it THEN e.data END AS data, asked.for_it AS "isAsked"
    FROM (${BOUNDS}) AS b LEFT JOIN LATERAL (
      SELECT * FROM lead_event
      WHERE organization_id = ${organizationId} AND xid < b.settled
        AND (xid, seq) > (coalesce(${after?.xid.toString() ?? null}::xid8, b.oldest), ${after?.seq ?? 0n}::bigint)
      ORDER BY xid, seq LIMIT ${lookedAt}) AS e ON true,
      LATERAL (SELECT (${types ?? null}::text[] IS NULL OR e.type = ANY (${types ?? []}::text[])) AND ${isTold('e')}) AS asked(for_it)
    ORDER BY e.xid, e.seq`;
  const { end, oldest } = boundsOf(rows);
  if (after && (after.xid < oldest || after.xid > end)) throw new CursorGone('not all that came after it is there');
  const entries = rows.filter((row): row is EntryRow & FeedRow => row.id !== null);

  const items: Event[] = [];
  let [bytes, seen] = [0, 0];
  for (const row of entries) {
    const event = row.isAsked ? toEvent(row, withPersons) : undefined;
    if (event) {
      bytes += Buffer.byteLength(JSON.stringify(event)) + 1; // a comma
      if (items.length === limit || (bytes > MAX_PAGE_BYTES && items.length > 0)) break;
      items.push(event);
    }
    seen += 1;
  }
  const last = entries[seen - 1];
  const hasMore = seen < entries.length || entries.length === lookedAt;
  const next = hasMore && last ? { xid: BigInt(last.xid), seq: BigInt(last.seq) } : { xid: end, seq: 0n };
  return { items, next, hasMore };
}

/** Of a lead that was erased only that is told. */
const isTold = (entry: string) => Prisma.sql`(${Prisma.raw(entry)}.type IN (${ERASURE.type}, ${NO_LEAD})
  OR EXISTS (SELECT FROM lead l WHERE l.id = ${Prisma.raw(entry)}.lead_id))`;

/** One event again, by the entry that it was made of; undefined when it is not told any more. */
export async function readEvent(
  db: Prisma.TransactionClient,
  { leadId, at, seq }: { leadId: string; at: Date; seq: bigint },
  withPersons: boolean,
): Promise<Event | undefined> {
  const [row] = await db.$queryRaw<EntryRow[]>`
    SELECT e.xid::text, e.seq::text, e.id, e.lead_id AS "leadId", e.type, e.at, e.data
    FROM lead_event e WHERE e.lead_id = ${leadId}::uuid AND e.at = ${at} AND e.seq = ${seq} AND ${isTold('e')}`;
  return row && toEvent(row, withPersons);
}

/** Where the feed ends now: what comes after it is what happens from now on, and what is under way. */
export async function readEnd(db: Prisma.TransactionClient): Promise<Position> {
  const { end } = boundsOf(await db.$queryRaw<Bounds[]>`SELECT b.settled::text, b.oldest::text FROM (${BOUNDS}) AS b`);
  return { xid: end, seq: 0n };
}
