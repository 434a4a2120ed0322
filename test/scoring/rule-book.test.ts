import { expect } from 'vitest';
import { createRuleBook } from '../../src/scoring/rule-book.ts';
import { test } from '../support/onboarding.ts';
import { recordStatements } from '../support/statements.ts';

test('rules that are large are not all kept compiled, whoever made how many of them', async ({ database }) => {
  const reason = { 'pt-BR': 'x'.repeat(200), en: 'x'.repeat(200) };
  const rules = Array.from({ length: 100 }, (_, index) => ({ rule: `r.${index}`, when: '1 < 2', points: 1, reason }));
  const organizationId = 'org-hoarder';
  const versions = Array.from({ length: 40 }, (_, index) => index + 1);
  await database.prisma.scoreRuleSet.createMany({
    data: versions.map((version) => ({
      organizationId,
      version,
      rules: { rules, groups: [], bands: { HOT: 70, WARM: 40 } },
    })),
  });
  const book = createRuleBook();
  for (const version of versions) await book.load(database.prisma, organizationId, version);
  const statements = recordStatements();
  const reads = () => statements.filter(({ text }) => text.includes('score_rule_set')).length;
  await book.load(database.prisma, organizationId, 40);
  expect(reads()).toBe(0);
  await book.load(database.prisma, organizationId, 1);
  expect(reads()).toBe(1);
});
