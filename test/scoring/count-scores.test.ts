import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { countScores } from '../../src/scoring/stored-leads.ts';
import { test } from '../support/onboarding.ts';
import { onboardByHand, storeLeads } from '../support/rows.ts';

test('scores are counted piece by piece, also where a piece ends between leads that came together', async ({
  database,
}) => {
  const together = new Date('2026-01-01T00:00:00Z');
  const lead = (n: number, organizationId: string) => ({
    id: randomUUID(),
    organizationId,
    name: `Lead ${n}`,
    createdAt: n % 2 === 0 ? together : new Date(together.getTime() + n),
  });
  const own = Array.from({ length: 12 }, (_, n) => lead(n, 'org-123'));
  const others = Array.from({ length: 3 }, (_, n) => lead(n, 'org-9'));
  await storeLeads(database, [...own, ...others]);
  for (const [n, { id }] of [...own.slice(1), ...others].entries()) {
    const [score, band] = n % 3 === 0 ? ([80, 'HOT'] as const) : ([10, 'COLD'] as const);
    await onboardByHand(database, id, { score, band });
  }
  for (const atOnce of [1, 2, 4, 7, 8, 100]) expect(await countScores(database.prisma, 'org-123', atOnce)).toBe(11);
  expect(await countScores(database.prisma, 'org-unknown')).toBe(0);
});
