import { SCORE_BANDS, type ScoreBand } from '../../workflows/contract.ts';
import { Prisma } from '../db/generated/client.ts';
import type { EnrichmentFields } from '../enrichment/provider.ts';
import { ENRICHMENT_FIELDS, type ScoredLead } from './fields.ts';

/** A lead as rules need it, with the score that it has. */
export interface StoredLead extends ScoredLead {
  id: string;
  score: number;
  band: ScoreBand;
  /** A person has set the score. */
  overridden: boolean;
  fields: EnrichmentFields;
}

/** The scored leads of an organization that are older than one, the newest first: ids begin with a time. */
export function olderLeads(
  db: Prisma.TransactionClient,
  organizationId: string,
  limit: number,
  before: string | undefined,
): Promise<StoredLead[]> {
  const older = before ? Prisma.sql`AND lead.id < ${before}::uuid` : Prisma.empty;
  return db.$queryRaw<StoredLead[]>`
    SELECT ${COLUMNS} FROM lead_view AS lead
    WHERE lead.organization_id = ${organizationId} AND lead.score IS NOT NULL ${older}
    ORDER BY lead.id DESC LIMIT ${limit}`;
}

/** What rules may read, and no more: the whole enrichment of a lead can be large. */
const COLUMNS = Prisma.sql`
  lead.id, lead.email, lead.phone, lead.company, lead.source,
  lead.priority, lead.locale, lead.score, lead.score_band AS band,
  EXISTS (SELECT 1 FROM score_override o WHERE o.lead_id = lead.id AND o.ended_at IS NULL) AS overridden,
  coalesce((SELECT jsonb_object_agg(field.key, jsonb_build_object('value', field.value -> 'value'))
            FROM jsonb_each(lead.enrichment -> 'fields') AS field
            WHERE field.key = ANY (${Object.keys(ENRICHMENT_FIELDS)})), '{}') AS fields`;

/** Locks the scored leads of an organization that come after one, in the order of their ids. @returns the ids */
export async function lockNextLeads(
  tx: Prisma.TransactionClient,
  organizationId: string,
  limit: number,
  after: string | null,
): Promise<string[]> {
  const later = after === null ? Prisma.empty : Prisma.sql`AND id > ${after}::uuid`;
  const rows = await tx.$queryRaw<{ id: string }[]>`
    SELECT id FROM lead
    WHERE organization_id = ${organizationId} AND EXISTS (SELECT FROM lead_score WHERE lead_id = lead.id) ${later}
    ORDER BY id LIMIT ${limit} FOR NO KEY UPDATE`;
  return rows.map(({ id }) => id);
}

/** Scores that one statement goes over: one for millions of leads would not end in its time. */
const COUNTED_AT_ONCE = 250_000;

/** How many leads of an organization have a score, counted piece by piece along an index. */
export async function countScores(
  tx: Prisma.TransactionClient,
  organizationId: string,
  atOnce = COUNTED_AT_ONCE,
): Promise<number> {
  let total = 0;
  for (const list of SCORE_BANDS.flatMap((band) => [false, true].map((archived) => ({ band, archived })))) {
    const all = Prisma.sql`FROM lead_score WHERE organization_id = ${organizationId}
                           AND lead_archived = ${list.archived} AND band = ${list.band}`;
    let rest = all;
    for (;;) {
      const [last] = await tx.$queryRaw<{ createdAt: Date; id: string }[]>`
        SELECT lead_created_at AS "createdAt", lead_id AS id ${rest}
        ORDER BY lead_created_at DESC, lead_id DESC OFFSET ${atOnce - 1} LIMIT 1`;
      if (!last) break;
      total += atOnce;
      rest = Prisma.sql`${all}
                        AND (lead_created_at, lead_id) < (${last.createdAt}, ${last.id}::uuid)`;
    }
    const [counted] = await tx.$queryRaw<{ count: number }[]>`SELECT count(*)::integer AS count ${rest}`;
    total += counted?.count ?? 0;
  }
  return total;
}

/** Of these leads, those that have no score by this version of the rules or a later one. */
export function leadsToRescore(
  tx: Prisma.TransactionClient,
  leadIds: string[],
  version: number,
): Promise<StoredLead[]> {
  return tx.$queryRaw<StoredLead[]>`
    SELECT ${COLUMNS} FROM lead_view AS lead
    WHERE lead.id = ANY (${leadIds}::uuid[])
      AND NOT EXISTS (SELECT 1 FROM score WHERE score.lead_id = lead.id AND score.rule_version >= ${version})`;
}
