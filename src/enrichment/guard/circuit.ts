import type { PrismaClient } from '../../db/generated/client.ts';
import type { SourceLimits } from './limits.ts';

type Breaker = NonNullable<SourceLimits['circuit']>;

/**
 * A circuit breaker that all worker processes share. Closed, everybody may call. After so many failures in a row it is
 * open for a while, and then lets one call at a time try. A provider that asks for patience opens it until then.
 */
export interface Circuit {
  /** @returns until when not to call; undefined for a call that may leave now */
  openUntil(provider: string, breaker: Breaker): Promise<Date | undefined>;
  succeeded(provider: string): Promise<void>;
  failed(provider: string, breaker: Breaker): Promise<void>;
  /** The provider wants no calls before then. */
  rest(provider: string, until: Date): Promise<void>;
}

export function createCircuit(prisma: PrismaClient): Circuit {
  return {
    async openUntil(provider, { failures, pauseMs }) {
      const [state] = await prisma.$queryRaw<{ open_until: Date; open: boolean; failures: number }[]>`
        SELECT open_until, open_until > clock_timestamp() AS open, failures FROM enrichment_circuit
        WHERE provider = ${provider} AND open_until IS NOT NULL`;
      if (!state) return undefined;
      if (state.open) return state.open_until;
      if (state.failures < failures) return undefined;
      // Whoever moves the time on is the one that tries.
      const tries = await prisma.$executeRaw`
        UPDATE enrichment_circuit SET open_until = clock_timestamp() + ${pauseMs} * interval '1 millisecond'
        WHERE provider = ${provider} AND open_until <= clock_timestamp()`;
      return tries === 1 ? undefined : new Date(Date.now() + pauseMs);
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
    async rest(provider, until) {
      await prisma.$executeRaw`
        INSERT INTO enrichment_circuit AS c (provider, open_until) VALUES (${provider}, ${until})
        ON CONFLICT (provider) DO UPDATE SET open_until = greatest(c.open_until, excluded.open_until)`;
    },
  };
}
