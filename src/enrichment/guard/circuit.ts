import type { PrismaClient } from '../../db/generated/client.ts';
import type { SourceLimits } from './limits.ts';

type Breaker = NonNullable<SourceLimits['circuit']>;

/** What a call is told: not to leave until then; or, when it is the one that tries, until when others wait for it. */
export type CircuitState = { openUntil: Date } | { openUntil?: undefined; trialUntil?: Date };

/**
 * A circuit breaker that all worker processes share. Closed, everybody may call. After so many failures in a row it is
 * open for a while, and then lets one call at a time try. A provider that asks for patience opens it until then.
 */
export interface Circuit {
  /** Asked before a call, which may leave now unless it is told until when not to. */
  ask(provider: string, breaker: Breaker): Promise<CircuitState>;
  succeeded(provider: string): Promise<void>;
  failed(provider: string, breaker: Breaker): Promise<void>;
  /** The call that was to try has not left: the next one may. */
  untried(provider: string, trialUntil: Date): Promise<void>;
  /** The provider wants no calls before then. */
  rest(provider: string, until: Date): Promise<void>;
}

export function createCircuit(prisma: PrismaClient): Circuit {
  return {
    async ask(provider, { failures, pauseMs }) {
      const [state] = await prisma.$queryRaw<{ open_until: Date; open: boolean; failures: number }[]>`
        SELECT open_until, open_until > clock_timestamp() AS open, failures FROM enrichment_circuit
        WHERE provider = ${provider} AND open_until IS NOT NULL`;
      if (!state) return {};
      if (state.open) return { openUntil: state.open_until };
      if (state.failures < failures) return {};
      // Whoever moves the time on is the one that tries.
      const [trial] = await prisma.$queryRaw<{ open_until: Date }[]>`
        UPDATE enrichment_circuit SET open_until = clock_timestamp() + ${pauseMs} * interval '1 millisecond'
        WHERE provider = ${provider} AND open_until <= clock_timestamp() RETURNING open_until`;
      return trial ? { trialUntil: trial.open_until } : { openUntil: new Date(Date.now() + pauseMs) };
    },
    async succeeded(provider) {
      await prisma.$executeRaw`
        UPDATE enrichment_circuit SET failures = 0, open_until = NULL WHERE provider = ${provider} AND failures > 0`;
    },
    async failed(provider, { failures, pauseMs }) {
      const opensAtOnce = failures <= 1;
      await prisma.$executeRaw`
        INSERT INTO enrichment_circuit AS c (provider, failures, open_until)
        VALUES (${provider}, 1,
                CASE WHEN ${opensAtOnce} THEN clock_timestamp() + ${pauseMs} * interval '1 millisecond' END)
        ON CONFLICT (provider) DO UPDATE SET failures = c.failures + 1, open_until =
          CASE WHEN c.failures + 1 >= ${failures} THEN clock_timestamp() + ${pauseMs} * interval '1 millisecond'
               ELSE c.open_until END`;
    },
    async untried(provider, trialUntil) {
      await prisma.$executeRaw`
        UPDATE enrichment_circuit SET open_until = date_trunc('milliseconds', clock_timestamp())
        WHERE provider = ${provider} AND open_until = ${trialUntil}`;
    },
    async rest(provider, until) {
      await prisma.$executeRaw`
        INSERT INTO enrichment_circuit AS c (provider, open_until) VALUES (${provider}, ${until})
        ON CONFLICT (provider) DO UPDATE SET open_until = greatest(c.open_until, excluded.open_until)`;
    },
  };
}
