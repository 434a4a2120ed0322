import { LRUCache } from 'lru-cache';
import type { Prisma } from '../db/generated/client.ts';
import { BUILT_IN, BUILT_IN_VERSION } from './built-in.ts';
import { type CompiledRules, compileRules } from './calculate.ts';
import type { RuleSet } from './rule-set.ts';

/** Rule sets that a process keeps compiled. */
const KEPT = 500;
/** Characters of all of them: by these the memory grows that they take. */
const KEPT_CHARACTERS = 1_000_000;

export interface VersionedRules {
  version: number;
  rules: CompiledRules;
}

/** Reads the rules of organizations; a version is compiled once, for it never changes. */
export interface RuleBook {
  /** The rules in force. None come into force before the transaction ends. */
  inForce(tx: Prisma.TransactionClient, organizationId: string): Promise<VersionedRules>;
  /** @throws when there is no such version */
  load(tx: Prisma.TransactionClient, organizationId: string, version: number): Promise<VersionedRules>;
}

export function createRuleBook(): RuleBook {
  const compiled = new LRUCache<string, CompiledRules>({
    max: KEPT,
    maxSize: KEPT_CHARACTERS,
    sizeCalculation: ({ set }) => JSON.stringify(set).length,
  });

  async function load(tx: Prisma.TransactionClient, organizationId: string, version: number): Promise<VersionedRules> {
    if (version === BUILT_IN_VERSION) return { version, rules: BUILT_IN };
    const key = JSON.stringify([organizationId, version]);
    let rules = compiled.get(key);
    if (!rules) {
      const where = { organizationId_version: { organizationId, version } };
      const row = await tx.scoreRuleSet.findUniqueOrThrow({ where, select: { rules: true } });
      rules = compileRules(row.rules as unknown as RuleSet);
      compiled.set(key, rules);
    }
    return { version, rules };
  }

  return {
    load,
    async inForce(tx, organizationId) {
      await tx.$executeRaw`SELECT pg_advisory_xact_lock_shared(hashtextextended(${rulesLock(organizationId)}, 0))`;
      return load(tx, organizationId, await versionInForce(tx, organizationId));
    },
  };
}

/** Names the lock that scores hold shared, and a change of the rules alone: after it no score is written by older ones. `score_basis` in the database holds it by the same name. */
export const rulesLock = (organizationId: string) => `score rules of ${organizationId}`;

/** The highest version of an organization; `BUILT_IN_VERSION` when it has none. */
export async function versionInForce(db: Prisma.TransactionClient, organizationId: string): Promise<number> {
  const latest = await db.scoreRuleSet.findFirst({
    where: { organizationId },
    orderBy: { version: 'desc' },
    select: { version: true },
  });
  return latest?.version ?? BUILT_IN_VERSION;
}
