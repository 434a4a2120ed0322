import { v7 as uuidv7 } from 'uuid';
import type { TestDatabase } from './database.ts';

/** Gives a lead a score of 50 by the built-in rules, as its onboarding would. */
export async function giveScore({ prisma }: TestDatabase, leadId: string): Promise<void> {
  const lines = [{ rule: 'test', points: 50, reason: { 'pt-BR': 'Teste', en: 'Test' } }];
  const scoreBreakdown = lines.map((line) => ({ ...line, reason: line.reason.en }));
  const { organizationId } = await prisma.lead.update({
    where: { id: leadId },
    data: { score: 50, scoreBand: 'WARM', scoreBreakdown },
  });
  const score = { id: uuidv7(), leadId, organizationId, ruleVersion: 0, cause: 'ONBOARDING' } as const;
  await prisma.score.create({ data: { ...score, score: 50, band: 'WARM', lines } });
}
