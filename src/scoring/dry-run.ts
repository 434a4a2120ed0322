import { setImmediate as letOthersWork } from 'node:timers/promises';
import { SCORE_BANDS, type ScoreBand } from '../../workflows/contract.ts';
import type { Tenant } from '../db/tenant.ts';
import { calculateScore, compileRules } from './calculate.ts';
import type { Verdict } from './language.ts';
import type { RuleSet } from './rule-set.ts';
import { olderLeads, type StoredLead } from './stored-leads.ts';

const PAGE = 500;
/** Leads after which other requests of the process have their turn. */
const SLICE = 50;
const MOVERS = 10;

export interface DryRunRequest {
  organizationId: string;
  rules: RuleSet;
  /** Milliseconds after which no further page is begun. */
  budgetMs: number;
}

interface Mover {
  leadId: string;
  from: number;
  to: number;
  fromBand: ScoreBand;
  toBand: ScoreBand;
}

type Effect = Record<Exclude<Verdict, 'does-not-apply'>, number>;

/**
 * Says what rules would do to the scores that are stored, and stores nothing. It looks at the newest leads first, page
 * by page, until there are none left or its time is up.
 */
export async function dryRun(tenant: Tenant, { organizationId, rules: set, budgetMs }: DryRunRequest) {
  const endsAt = performance.now() + budgetMs;
  const rules = compileRules(set);
  const effects = new Map(set.rules.map(({ rule }): [string, Effect] => [rule, { applies: 0, unknown: 0, failed: 0 }]));
  const watch = (rule: string, verdict: Verdict) => {
    const effect = effects.get(rule);
    if (effect && verdict !== 'does-not-apply') effect[verdict] += 1;
  };
  const tally = createTally();
  let complete: boolean;
  do {
    const before = tally.last()?.id;
    // One more than a page: whether there are more is known although no further page is begun.
    const leads = await tenant.read((db) => olderLeads(db, organizationId, PAGE + 1, before));
    complete = leads.length <= PAGE;
    for (const [index, lead] of leads.slice(0, PAGE).entries()) {
      tally.add(lead, calculateScore(rules, lead, lead.fields, watch));
      if (index % SLICE === 0) await letOthersWork();
    }
  } while (!complete && performance.now() < endsAt);
  return {
    complete,
    ...tally.result(),
    rules: [...effects].map(([rule, { applies, unknown, failed }]) => ({ rule, applies, unknown, failed })),
  };
}

/** Counts what moves; its size does not grow with the number of leads. */
function createTally() {
  const counts = { leads: 0, up: 0, down: 0, same: 0, overridden: 0 };
  const bands = new Map<string, number>();
  let movers: Mover[] = [];
  let last: StoredLead | undefined;

  return {
    last: () => last,
    add(lead: StoredLead, { score, band }: { score: number; band: ScoreBand }): void {
      last = lead;
      counts.leads += 1;
      if (lead.overridden) {
        counts.overridden += 1;
        return;
      }
      counts[score > lead.score ? 'up' : score < lead.score ? 'down' : 'same'] += 1;
      const crossing = `${lead.band} ${band}`;
      bands.set(crossing, (bands.get(crossing) ?? 0) + 1);
      if (score === lead.score) return;
      movers.push({ leadId: lead.id, from: lead.score, to: score, fromBand: lead.band, toBand: band });
      if (movers.length > 2 * MOVERS) movers = biggest(movers);
    },
    result: () => ({
      ...counts,
      bands: SCORE_BANDS.flatMap((from) =>
        SCORE_BANDS.map((to) => ({ from, to, leads: bands.get(`${from} ${to}`) ?? 0 })),
      ).filter(({ leads }) => leads > 0),
      movers: biggest(movers),
    }),
  };
}

const distance = ({ from, to }: Mover) => Math.abs(to - from);
const biggest = (movers: Mover[]) => movers.sort((a, b) => distance(b) - distance(a)).slice(0, MOVERS);
