import { type MxRecord, promises as dns } from 'node:dns';
import { LRUCache } from 'lru-cache';
import { FetchError } from './fetch-error.ts';

/** One try: a resolver that is near answers within a few, and one that is out of reach must not hold a lead up. */
const LOOKUP_MS = 500;
/** For how long a name that nothing was heard about is not asked for again: its mail and its web site are one try. */
const SILENCE_MS = 10_000;

/** Asks the DNS, and neither the hosts file nor anything else that the machine knows names from. */
export interface NameResolver {
  /** IPv4 addresses first. @throws FetchError `NameNotFound` or `ResolverSilent` */
  addressesOf(name: string): Promise<string[]>;
  /** Empty when the name exists and names no mail host. @throws as `addressesOf` */
  mailHostsOf(name: string): Promise<MxRecord[]>;
}

export interface NameResolverOptions {
  /** `address` or `address:port` of the resolvers to ask instead of the system's. */
  servers?: readonly string[];
  /** Milliseconds that one question may take. */
  lookupMs?: number;
}

export function createNameResolver({ servers, lookupMs = LOOKUP_MS }: NameResolverOptions = {}): NameResolver {
  const silent = new LRUCache<string, true>({ max: 1_000, ttl: SILENCE_MS });

  async function ask<T>(name: string, question: (resolver: dns.Resolver) => Promise<T>): Promise<T> {
    if (silent.has(name)) throw new FetchError('ResolverSilent');
    const resolver = new dns.Resolver({ timeout: lookupMs, tries: 1 });
    if (servers) resolver.setServers(servers);
    const deadline = setTimeout(() => resolver.cancel(), lookupMs); // the system may name several servers
    try {
      return await question(resolver);
    } catch (err) {
      const error = toLookupError(err);
      if (error.code === 'ResolverSilent') silent.set(name, true);
      throw error;
    } finally {
      clearTimeout(deadline);
    }
  }

  return {
    addressesOf: (name) =>
      ask(name, async (resolver) => {
        const [v4, v6] = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
        const found = [v4, v6].flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
        if (found.length > 0) return found;
        const errors = [v4, v6].flatMap((answer) => (answer.status === 'rejected' ? toLookupError(answer.reason) : []));
        throw errors.find(({ code }) => code === 'ResolverSilent') ?? new FetchError('NameNotFound');
      }),
    mailHostsOf: (name) =>
      ask(name, (resolver) =>
        resolver.resolveMx(name).catch((err: unknown) => {
          if (codeOf(err) === 'ENODATA') return [];
          throw err;
        }),
      ),
  };
}

const codeOf = (err: unknown) => (err instanceof Error && 'code' in err ? err.code : undefined);

function toLookupError(err: unknown): FetchError {
  if (err instanceof FetchError) return err;
  const code = codeOf(err);
  return new FetchError(
    code === 'ENOTFOUND' || code === 'ENODATA' || code === 'EBADNAME' ? 'NameNotFound' : 'ResolverSilent',
  );
}
