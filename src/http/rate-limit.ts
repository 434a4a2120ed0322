import type { Context, MiddlewareHandler } from 'hono';
import ipaddr from 'ipaddr.js';
import type { RateLimiter } from '../rate-limit/limiter.ts';
import { addressReader } from './caller.ts';
import type { HttpEnv } from './context.ts';
import { Problem } from './problem.ts';

/** One customer of a network provider has as many IPv6 addresses as this prefix leaves free. */
const IPV6_PREFIX_GROUPS = 4;

/**
 * Refuses with 429 who asks too often, and tells everybody where they stand
 * (https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/10/).
 */
export function limitRate(limiter: RateLimiter, identify: (c: Context<HttpEnv>) => string): MiddlewareHandler<HttpEnv> {
  const policy = `"default";q=${limiter.limit.requests};w=${limiter.limit.seconds}`;
  return (c, next) => {
    const { allowed, remaining, resetsInMs } = limiter.take(identify(c));
    const seconds = Math.ceil(resetsInMs / 1_000);
    c.header('ratelimit-policy', policy);
    c.header('ratelimit', `"default";r=${remaining};t=${seconds}`);
    if (allowed) return next();
    throw new Problem(429, 'rate-limited', `Wait ${seconds} s: see Retry-After and RateLimit-Policy.`, {
      headers: { 'retry-after': String(seconds) },
    });
  };
}

/** Tells whom a request counts for: the address that it comes from. */
export function callerIdentifier(trustedProxies: readonly string[]): (c: Context<HttpEnv>) => string {
  const readAddress = addressReader(trustedProxies);
  return (c) => `address:${networkOf(readAddress(c))}`;
}

function networkOf(address: string | null): string {
  if (address?.includes(':') !== true) return address ?? 'unknown';
  const groups = ipaddr.IPv6.parse(address).parts.slice(0, IPV6_PREFIX_GROUPS);
  return `${groups.map((group) => group.toString(16)).join(':')}::/64`;
}
