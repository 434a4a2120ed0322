import { createHash } from 'node:crypto';
import type { Prisma, PrismaClient } from '../../db/generated/client.ts';
import type { Answer, Question, Subject } from '../provider.ts';
import type { SourceLimits } from './limits.ts';

/** Answers of providers, for one organization each: none of them learns by speed what another has asked. */
export interface AnswerCache {
  read(subject: Subject, provider: string, question: Question): Promise<Answer | undefined>;
  write(
    subject: Subject,
    provider: string,
    question: Question,
    answer: Answer,
    ages: SourceLimits['cacheMs'],
  ): Promise<void>;
}

export function createAnswerCache(prisma: PrismaClient): AnswerCache {
  const keyOf = ({ organizationId }: Subject, provider: string, { key }: Question) => ({
    organizationId,
    provider,
    keyHash: createHash('sha256').update(key).digest(),
  });
  return {
    async read(subject, provider, question) {
      const row = await prisma.enrichmentCache.findUnique({
        where: { organizationId_provider_keyHash: keyOf(subject, provider, question), expiresAt: { gt: new Date() } },
      });
      if (!row) return undefined;
      const answer = row.answer as unknown as Answer;
      return answer.kind === 'found' ? { ...answer, fetchedAt: row.fetchedAt } : answer;
    },
    async write(subject, provider, question, answer, ages) {
      const age = isKept(answer) ? (answer.kind === 'found' ? ages.found : ages.nothing) : 0;
      if (age === 0) return;
      const key = keyOf(subject, provider, question);
      const fetchedAt = new Date();
      const kept = {
        answer: answer as unknown as Prisma.InputJsonObject,
        leadId: question.isPersonal ? subject.leadId : null,
        fetchedAt,
        expiresAt: new Date(fetchedAt.getTime() + age),
      };
      await prisma.enrichmentCache.upsert({
        where: { organizationId_provider_keyHash: key },
        create: { ...key, ...kept },
        update: kept,
        select: { provider: true },
      });
    },
  };
}

/** A page that means harm is remembered as well: it is not visited again for the next lead. */
const isKept = (answer: Answer) =>
  answer.kind === 'found' || ((answer.kind === 'nothing' || answer.kind === 'stop') && answer.transient !== true);
