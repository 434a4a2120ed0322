import type { RescoreInput, RescorePageResult } from '../../workflows/rescore-contract.ts';
import type { Prisma, ScoreRescore } from '../db/generated/client.ts';
import { calculateScore } from './calculate.ts';
import { recordScores } from './record.ts';
import { lockRescore } from './rescore.ts';
import type { RuleBook } from './rule-book.ts';
import { leadsToRescore, lockNextLeads } from './stored-leads.ts';

const PAGE = 500;
const SMALLEST_PAGE = 25;

/** Leads of a page: half as many at each attempt, so that a database that is slow does not fail it for ever. */
export const pageSizeOf = (attempt: number): number => Math.max(SMALLEST_PAGE, PAGE >> Math.min(attempt - 1, 10));

interface PageContext {
  ruleBook: RuleBook;
  pageSize: number;
}

/**
 * Scores the next page of leads, and counts it, in one transaction: a page that this run believes to be the next is
 * passed over when it is done already, so that each lead is scored once however often and by however many it is called.
 */
export async function rescorePage(
  tx: Prisma.TransactionClient,
  { rescoreId, pages }: RescoreInput,
  context: PageContext,
): Promise<RescorePageResult> {
  const rescore = await lockRescore(tx, rescoreId);
  if (rescore?.state === 'PAUSED') return { pages: rescore.pages, next: 'wait' };
  if (rescore?.state !== 'RUNNING') return { pages: rescore?.pages ?? pages, next: 'end' };
  if (rescore.pages !== pages) return { pages: rescore.pages, next: 'page' };

  const { passed, changed } = await scorePage(tx, rescore, context);
  const finished = passed.length < context.pageSize;
  const last = passed.at(-1);
  await tx.$executeRaw`
    UPDATE score_rescore SET pages = pages + 1, done = done + ${passed.length}, changed = changed + ${changed},
      after_id = coalesce(${last ?? null}::uuid, after_id), updated_at = clock_timestamp(),
      state = CASE WHEN ${finished} THEN 'COMPLETED' ELSE state END,
      finished_at = CASE WHEN ${finished} THEN clock_timestamp() END
    WHERE id = ${rescoreId}::uuid`;
  return { pages: pages + 1, next: finished ? 'end' : 'page' };
}

/**
 * The leads are locked first and read by a later statement, so that what a step or an edit that held one has written is
 * seen. Those that newer scores were given meanwhile are left as they are.
 */
async function scorePage(
  tx: Prisma.TransactionClient,
  { id: rescoreId, organizationId, version, afterId }: ScoreRescore,
  { ruleBook, pageSize }: PageContext,
): Promise<{ passed: string[]; changed: number }> {
  const passed = await lockNextLeads(tx, organizationId, pageSize, afterId);
  const { rules } = await ruleBook.load(tx, organizationId, version);
  const leads = await leadsToRescore(tx, passed, version);
  const scored = leads.map((lead) => ({ leadId: lead.id, calculated: calculateScore(rules, lead, lead.fields) }));
  if (scored.length === 0) return { passed, changed: 0 };
  const origin = { organizationId, version, rules, cause: 'RESCORE', rescoreId } as const;
  return { passed, changed: await recordScores(tx, origin, scored) };
}
