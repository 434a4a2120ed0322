import { describe, expect } from 'vitest';
import { MAX_CALLS } from '../../src/enrichment/guard/calls.ts';
import { createCircuit } from '../../src/enrichment/guard/circuit.ts';
import { guard } from '../../src/enrichment/guard/guard.ts';
import type { SourceLimits } from '../../src/enrichment/guard/limits.ts';
import type { Answer, LookupContext, OutsideContext, Question } from '../../src/enrichment/provider.ts';
import type { TestDatabase } from '../support/database.ts';
import { takeIn, test } from '../support/onboarding.ts';
import { leadWith } from './support.ts';

const LIMITS: SourceLimits = { timeoutMs: 1_000, cacheMs: { found: 60_000, nothing: 60_000 }, dailyBudget: 100 };
const FACTS = { ...leadWith({}), found: {} };
const FOUND: Answer = {
  kind: 'found',
  fields: { companyName: { value: 'Acme', method: 'api', confidence: 0.5 } },
};

let names = 0;

/** A source of its own name, that counts how often it is asked. */
function sourceOf(answer: (context: OutsideContext) => Answer | Promise<Answer>, question?: Question | null) {
  names += 1;
  const asked: number[] = [];
  const source = {
    name: `source-${names}`,
    question: () => (question === null ? undefined : (question ?? { key: 'acme.com.br', isPersonal: false })),
    lookUp: async (_facts: unknown, context: OutsideContext) => {
      asked.push(Date.now());
      await context.takeCall();
      return answer(context);
    },
  };
  return { source, asked };
}

async function contextOf(database: TestDatabase, organizationId = 'org-123'): Promise<LookupContext> {
  const { leadId } = await takeIn(database, { organizationId });
  const subject = { leadId, organizationId, run: 'round-1' };
  return { subject, signal: new AbortController().signal, now: () => new Date() };
}

describe('the cache', () => {
  test.for<Answer>([FOUND, { kind: 'nothing' }, { kind: 'stop', reason: 'body-too-large' }])(
    'answers %j the second time, for another lead of the organization, and not for other organizations',
    async (answer, { database }) => {
      const { source, asked } = sourceOf(() => answer);
      const provider = guard(database.prisma, source, LIMITS);
      await provider.lookUp(FACTS, await contextOf(database));
      const again = await provider.lookUp(FACTS, await contextOf(database));
      expect(again).toMatchObject(answer);
      expect(asked).toHaveLength(1);
      await provider.lookUp(FACTS, await contextOf(database, 'org-other'));
      expect(asked).toHaveLength(2);
    },
  );

  test('says when a value was fetched', async ({ database }) => {
    const provider = guard(database.prisma, sourceOf(() => FOUND).source, LIMITS);
    const context = await contextOf(database);
    const before = Date.now();
    await provider.lookUp(FACTS, context);
    const { fetchedAt } = (await provider.lookUp(FACTS, context)) as { fetchedAt: Date };
    expect(fetchedAt.getTime()).toBeGreaterThanOrEqual(before);
    expect(fetchedAt.getTime()).toBeLessThanOrEqual(Date.now());
  });

  test('is passed over, and written anew, by an enrichment that wants fresh answers', async ({ database }) => {
    const { source, asked } = sourceOf(() => FOUND);
    const provider = guard(database.prisma, source, LIMITS);
    const context = await contextOf(database);
    await provider.lookUp(FACTS, context);
    await provider.lookUp(FACTS, { ...context, subject: { ...context.subject, fresh: true } });
    await provider.lookUp(FACTS, context);
    expect(asked).toHaveLength(2);
  });

  test('forgets with age', async ({ database }) => {
    const { source, asked } = sourceOf(() => ({ kind: 'nothing' }));
    const provider = guard(database.prisma, source, { ...LIMITS, cacheMs: { found: 60_000, nothing: 1 } });
    const context = await contextOf(database);
    await provider.lookUp(FACTS, context);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await provider.lookUp(FACTS, context);
    expect(asked).toHaveLength(2);
  });

  test.for<Answer>([
    { kind: 'nothing', transient: true },
    { kind: 'stop', reason: 'http-401', transient: true },
    { kind: 'retry', at: new Date(0), reason: 'http-500' },
  ])('does not keep %j', async (answer, { database }) => {
    const { source, asked } = sourceOf(() => answer);
    const provider = guard(database.prisma, source, LIMITS);
    const context = await contextOf(database);
    await provider.lookUp(FACTS, context);
    await provider.lookUp(FACTS, context);
    expect(asked).toHaveLength(2);
  });

  test('has the question as a hash, and what is about a person goes with the lead', async ({ database }) => {
    const question = { key: 'https://api.acme.com/?email=ana%40acme.com.br', isPersonal: true };
    const { source } = sourceOf(() => FOUND, question);
    const context = await contextOf(database);
    await guard(database.prisma, source, LIMITS).lookUp(FACTS, context);
    const where = { provider: source.name };
    const [row] = await database.prisma.enrichmentCache.findMany({ where });
    expect(row?.leadId).toBe(context.subject.leadId);
    expect(row?.keyHash).toHaveLength(32);
    expect(JSON.stringify(row)).not.toContain('ana');
    await database.prisma.leadRecord.delete({ where: { id: context.subject.leadId } });
    expect(await database.prisma.enrichmentCache.count({ where })).toBe(0);
  });
});

test('a source that has nothing to be asked costs nothing', async ({ database }) => {
  const { source, asked } = sourceOf(() => FOUND, null);
  const context = await contextOf(database);
  expect(await guard(database.prisma, source, LIMITS).lookUp(FACTS, context)).toEqual({ kind: 'nothing' });
  expect(asked).toEqual([]);
});

describe('calls', () => {
  const eager = (times: number) => async (context: OutsideContext) => {
    for (let call = 1; call < times; call += 1) await context.takeCall();
    return FOUND;
  };

  test('of a lead are six at most, over all its sources and attempts', async ({ database }) => {
    const context = await contextOf(database);
    const ask = (times: number) => guard(database.prisma, sourceOf(eager(times)).source, LIMITS).lookUp(FACTS, context);
    expect(await ask(4)).toMatchObject({ kind: 'found' });
    expect(await ask(2)).toMatchObject({ kind: 'found' });
    expect(await ask(1)).toEqual({ kind: 'stop', reason: 'call-limit', transient: true });
    const other = await contextOf(database);
    expect(await guard(database.prisma, sourceOf(eager(7)).source, LIMITS).lookUp(FACTS, other)).toMatchObject({
      reason: 'call-limit',
    });
  });

  test('of an organization are no more than its budget for the day, also when they leave together', async ({
    database,
  }) => {
    const { source, asked } = sourceOf(() => FOUND);
    const limits = { ...LIMITS, dailyBudget: 5, cacheMs: { found: 0, nothing: 0 } };
    const processes = [guard(database.prisma, source, limits), guard(database.prisma, source, limits)];
    const contexts = await Promise.all(Array.from({ length: 12 }, () => contextOf(database)));
    const answers = await Promise.all(
      contexts.map((context, index) => processes[index % 2]?.lookUp(FACTS, context) as Promise<Answer>),
    );
    expect(asked).toHaveLength(12);
    expect(answers.filter(({ kind }) => kind === 'found')).toHaveLength(5);
    expect(answers.filter(({ kind }) => kind === 'stop')[0]).toMatchObject({ reason: 'budget-exhausted' });
    const elsewhere = await contextOf(database, 'org-other');
    expect(await processes[0]?.lookUp(FACTS, elsewhere)).toMatchObject({ kind: 'found' });
  });

  test('are none with a budget of 0', async ({ database }) => {
    const provider = guard(database.prisma, sourceOf(() => FOUND).source, { ...LIMITS, dailyBudget: 0 });
    expect(await provider.lookUp(FACTS, await contextOf(database))).toMatchObject({ reason: 'budget-exhausted' });
  });
});

describe('the circuit', () => {
  const limits = { ...LIMITS, circuit: { failures: 3, pauseMs: 3_600_000 } };

  /** As if the pause were over. */
  const endPause = ({ prisma }: TestDatabase) =>
    prisma.enrichmentCircuit.updateMany({ where: { openUntil: { not: null } }, data: { openUntil: new Date(0) } });

  test('opens after failures in a row, for all processes, lets one try, and closes when that goes well', async ({
    database,
  }) => {
    let answer: Answer = { kind: 'retry', at: new Date(), reason: 'http-500' };
    const { source, asked } = sourceOf(() => answer);
    const [one, other] = [guard(database.prisma, source, limits), guard(database.prisma, source, limits)];
    const look = async (provider = one) => provider.lookUp(FACTS, await contextOf(database));
    for (let call = 0; call < 3; call += 1) await look();
    expect(await look(other)).toMatchObject({ kind: 'retry', reason: 'circuit-open' });
    expect(asked).toHaveLength(3);

    await endPause(database);
    const tries = await Promise.all([look(), look(other), look(), look(other)]);
    expect(asked).toHaveLength(4);
    expect(tries.filter((said) => 'reason' in said && said.reason === 'circuit-open')).toHaveLength(3);

    await endPause(database);
    answer = FOUND;
    expect(await look()).toMatchObject({ kind: 'found' });
    expect(await createCircuit(database.prisma).ask(source.name, limits.circuit)).toEqual({});
  });

  test('is open until the time that a provider names, whatever the lead', async ({ database }) => {
    const at = new Date(Date.now() + 3_600_000);
    const { source, asked } = sourceOf(() => ({ kind: 'retry', at, reason: 'http-429', forAll: true }));
    const provider = guard(database.prisma, source, limits);
    await provider.lookUp(FACTS, await contextOf(database));
    expect(await provider.lookUp(FACTS, await contextOf(database))).toEqual({
      kind: 'retry',
      at,
      reason: 'circuit-open',
    });
    expect(asked).toHaveLength(1);
    await endPause(database);
    await provider.lookUp(FACTS, await contextOf(database));
    expect(asked).toHaveLength(2);
  });

  test('does not count failures that are not in a row', async ({ database }) => {
    let calls = 0;
    const { source } = sourceOf(() =>
      (calls += 1) % 2 === 0 ? { kind: 'nothing', transient: true } : { kind: 'retry', at: new Date(), reason: 'x' },
    );
    const provider = guard(database.prisma, source, limits);
    for (let call = 0; call < 8; call += 1) {
      expect(await provider.lookUp(FACTS, await contextOf(database))).not.toMatchObject({ reason: 'circuit-open' });
    }
  });

  test.for(['call-limit', 'budget-exhausted'])(
    'learns nothing from a call that is refused with %s: failures stay in a row, and another call tries',
    async (reason, { database }) => {
      const { source } = sourceOf(() => ({ kind: 'retry', at: new Date(), reason: 'http-500' }));
      const provider = guard(database.prisma, source, limits);
      const look = async () => provider.lookUp(FACTS, await contextOf(database));
      const poor = reason === 'call-limit' ? provider : guard(database.prisma, source, { ...limits, dailyBudget: 0 });
      const refused = await contextOf(database);
      const { leadId, run, organizationId } = refused.subject;
      await database.prisma.enrichmentRun.create({ data: { leadId, run, organizationId, calls: MAX_CALLS } });
      const lookInVain = async () =>
        expect(await poor.lookUp(FACTS, refused)).toEqual({ kind: 'stop', reason, transient: true });

      for (let call = 0; call < 2; call += 1) await look();
      await lookInVain();
      await look();
      expect(await look()).toMatchObject({ reason: 'circuit-open' });

      await endPause(database);
      await lookInVain();
      const tries = (await Promise.all([look(), look()])) as { reason: string }[];
      expect(tries.map((said) => said.reason).sort()).toEqual(['circuit-open', 'http-500']);
    },
  );
});

test('a source that hangs, and does not listen, is left behind', async ({ database }) => {
  const { source } = sourceOf(() => new Promise<Answer>(() => undefined));
  const provider = guard(database.prisma, source, { ...LIMITS, timeoutMs: 100 });
  expect(await provider.lookUp(FACTS, await contextOf(database))).toMatchObject({ kind: 'retry', reason: 'timeout' });
});
