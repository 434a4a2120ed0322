import type { PrismaClient } from '../../db/generated/client.ts';
import { TimeoutError } from 'p-timeout';
import { withinTime } from '../../safe-fetch/within-time.ts';
import type { Answer, EnrichmentProvider, LookupContext, LookupFacts, OutsideSource } from '../provider.ts';
import { createAnswerCache } from './cache.ts';
import { CallRefused, isRefusal, takeCall } from './calls.ts';
import { type CircuitState, createCircuit } from './circuit.ts';
import type { SourceLimits } from './limits.ts';

/** Our own database does not answer: nobody's fault outside. */
const STORE_DOWN = 'store-unavailable';

function refuse(err: unknown): never {
  throw err instanceof CallRefused ? err : new CallRefused(STORE_DOWN);
}

/**
 * Makes a provider of a source on somebody else's server. What was asked before is answered from memory; a source in
 * trouble is left alone; each request counts against the lead and the organization's day; and all of it ends in time.
 */
export function guard(prisma: PrismaClient, source: OutsideSource, limits: SourceLimits): EnrichmentProvider {
  const { name } = source;
  const cache = createAnswerCache(prisma);
  const circuit = createCircuit(prisma);

  async function call(facts: LookupFacts, context: LookupContext): Promise<Answer> {
    const take = () => takeCall(prisma, context.subject, name, limits.dailyBudget).catch(refuse);
    try {
      return await withinTime(limits.timeoutMs, context.signal, (signal) =>
        source.lookUp(facts, { ...context, signal, takeCall: take }),
      );
    } catch (err) {
      if (err instanceof TimeoutError) return { kind: 'retry', at: context.now(), reason: 'timeout' };
      if (!(err instanceof CallRefused)) throw err;
      const { reason } = err;
      return reason === STORE_DOWN
        ? { kind: 'retry', at: context.now(), reason }
        : { kind: 'stop', reason, transient: true };
    }
  }

  async function report(answer: Answer, trialUntil: Date | undefined): Promise<void> {
    if (!limits.circuit) return;
    if (isRefusal(answer)) return trialUntil && circuit.untried(name, trialUntil);
    if (answer.kind !== 'retry') return circuit.succeeded(name);
    return answer.forAll ? circuit.rest(name, answer.at) : circuit.failed(name, limits.circuit);
  }

  return {
    name,
    ...(source.provides && { provides: source.provides }),
    async lookUp(facts, context) {
      const question = source.question(facts);
      if (!question) return { kind: 'nothing' };
      let state: CircuitState = {};
      try {
        const remembered = context.subject.fresh ? undefined : await cache.read(context.subject, name, question);
        if (remembered) return remembered;
        if (limits.circuit) state = await circuit.ask(name, limits.circuit);
        if (state.openUntil) return { kind: 'retry', at: state.openUntil, reason: 'circuit-open' };
      } catch {
        return { kind: 'retry', at: context.now(), reason: STORE_DOWN };
      }
      const answer = await call(facts, context);
      context.signal.throwIfAborted();
      // What was found counts, whether or not it can be remembered.
      await Promise.allSettled([
        report(answer, state.trialUntil),
        cache.write(context.subject, name, question, answer, limits.cacheMs),
      ]);
      return answer;
    },
  };
}
