import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { sweepEnrichment } from '../../src/enrichment/guard/sweep.ts';
import { test } from '../support/onboarding.ts';

const DAY_MS = 86_400_000;
const organizationId = 'org-123';
const provider = 'by-the-test';

test('what has expired goes, and nothing else', async ({ database }) => {
  const { prisma, pool } = database;
  const at = (days: number) => new Date(Date.now() + days * DAY_MS);
  for (const days of [-2, -1, 1]) {
    const data = {
      organizationId,
      provider,
      keyHash: randomBytes(32),
      answer: {},
      fetchedAt: at(-3),
      expiresAt: at(days),
    };
    await prisma.enrichmentCache.create({ data });
  }
  for (const days of [-9, -1, 0]) {
    await prisma.enrichmentBudget.create({ data: { organizationId, provider, day: at(days), used: 1 } });
  }
  expect(await sweepEnrichment(pool)).toBe(3);
  expect(await prisma.enrichmentCache.count()).toBe(1);
  expect(await prisma.enrichmentBudget.count()).toBe(2);
  expect(await sweepEnrichment(pool)).toBe(0);
});
