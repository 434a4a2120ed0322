import type { Prisma, Score, ScoreOverride } from '../db/generated/client.ts';
import { readEnrichment } from '../enrichment/read-enrichment.ts';
import { toNotifications } from '../notifications/read-times.ts';
import { LeadNotFound } from '../leads/errors.ts';
import { type LeadRow, toLead } from '../leads/lead.ts';
import { getLead } from '../leads/read.ts';
import { readTimeline } from '../leads/timeline.ts';

/** Entries read at once: a touch may have a megabyte. */
const PAGE = 20;

/** Runs the queries of one moment; an export has several, so that nothing is held while its reader is slow. */
type Read = <T>(work: (db: Prisma.TransactionClient) => Promise<T>) => Promise<T>;

/**
 * All that is known of a person, as the text of one JSON document: the lead with its enrichment and the lines of its
 * score, what sources say otherwise, the notifications about it, every score that is kept, what people have put in place of it, and the timeline, whose `lead.touched` entries have what was sent again.
 * @returns the parts of the text, whatever its length; they end with an error when the lead is erased meanwhile
 * @throws LeadNotFound
 */
export async function exportLead(read: Read, leadId: string): Promise<AsyncIterable<string>> {
  const known = await read((db) => readLead(db, leadId));
  return writeDocument(read, leadId, { exportedAt: new Date().toISOString(), ...known });
}

async function readLead(db: Prisma.TransactionClient, leadId: string) {
  const row = (await db.lead.findUnique({ where: { id: leadId } })) as LeadRow | null;
  if (!row) throw new LeadNotFound(leadId);
  const notifications = await db.notification.findMany({ where: { leadId }, orderBy: { assignment: 'asc' } });
  const lead = { ...toLead(row), scoreBreakdown: row.scoreBreakdown };
  const scores = await db.score.findMany({ where: { leadId }, orderBy: [{ at: 'asc' }, { id: 'asc' }] });
  const overrides = await db.scoreOverride.findMany({ where: { leadId }, orderBy: { setAt: 'asc' } });
  const { conflicts } = await readEnrichment(db, leadId);
  return {
    lead,
    enrichmentConflicts: conflicts,
    notifications: await toNotifications(db, notifications),
    scores: scores.map(toScore),
    scoreOverrides: overrides.map(toOverride),
  };
}

const toScore = ({ score, band, ruleVersion, cause, at, lines }: Score) => ({
  score,
  band,
  ruleVersion,
  cause,
  at: at.toISOString(),
  lines,
});

const toOverride = ({ score, reason, setBy, setAt, endedBy, endedAt }: ScoreOverride) => ({
  score,
  reason,
  setBy,
  setAt: setAt.toISOString(),
  endedBy,
  endedAt: endedAt?.toISOString() ?? null,
});

async function* writeDocument(read: Read, leadId: string, known: object): AsyncGenerator<string> {
  yield `${JSON.stringify(known).slice(0, -1)},"timeline":[`;
  let cursor: string | undefined;
  let separator = '';
  do {
    const page = { leadId, limit: PAGE, cursor };
    const { items, nextCursor } = await read((db) => readTimeline(db, page));
    for (const entry of items) {
      yield separator + JSON.stringify(entry);
      separator = ',';
    }
    cursor = nextCursor ?? undefined;
  } while (cursor !== undefined);
  await read((db) => getLead(db, leadId)); // what was cut short by an erasure must not look whole
  yield ']}';
}
