import type { Prisma } from '../db/generated/client.ts';
import { BUILT_IN_RULES, BUILT_IN_VERSION } from './built-in.ts';
import { RulesNotFound } from './errors.ts';
import { toProgress } from './rescore.ts';
import { versionInForce } from './rule-book.ts';
import type { RuleSet } from './rule-set.ts';

/**
 * The rules of an organization as they were sent, in one version; by default the one in force.
 * @throws RulesNotFound
 */
export async function readRules(db: Prisma.TransactionClient, organizationId: string, version?: number) {
  const current = await versionInForce(db, organizationId);
  const wanted = version ?? current;
  const state = { organizationId, version: wanted, inForce: wanted === current };
  if (wanted === BUILT_IN_VERSION)
    return { ...state, createdBy: null, createdAt: null, rescore: null, ...BUILT_IN_RULES };
  const row = await db.scoreRuleSet.findUnique({
    where: { organizationId_version: { organizationId, version: wanted } },
  });
  if (!row) throw new RulesNotFound(wanted);
  const rescore = await db.scoreRescore.findUnique({
    where: { organizationId_version: { organizationId, version: wanted } },
  });
  const rules = row.rules as unknown as RuleSet;
  return {
    ...state,
    createdBy: row.createdBy,
    createdAt: row.createdAt.toISOString(),
    rescore: rescore && toProgress(rescore),
    ...rules,
  };
}
