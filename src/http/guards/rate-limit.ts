import type { Context } from 'hono';
import ipaddr from 'ipaddr.js';
import type { RateLimiter } from '../../rate-limit/limiter.ts';
import { addressReader } from '../request/caller.ts';
import type { HttpEnv } from '../context.ts';
import { Problem } from '../answers/problem.ts';

/** One customer of a network provider has as many IPv6 addresses as this prefix leaves free. */
const IPV6_PREFIX_GROUPS = 4;

/** Counts a request, or so many, for whoever makes it. @throws Problem 429 when there were too many. */
export type CountRequest = (c: Context<HttpEnv>, requests?: number) => void;

/**
 * Counts requests for the key that they come with, or for their address where none was found to be good; and tells
 * callers where they stand (https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/10/).
 */
export function requestCounter(limiter: RateLimiter, trustedProxies: readonly string[]): CountRequest {
  const policy = `"default";q=${limiter.limit.requests};w=${limiter.limit.seconds}`;
  const readAddress = addressReader(trustedProxies);
  return (c, requests) => {
    const key = c.var.key ?? c.var.operator;
    const who = key ? `key:${key.id}` : `address:${networkOf(readAddress(c))}`;
    const { allowed, remaining, resetsInMs } = limiter.take(who, requests);
    const seconds = Math.ceil(resetsInMs / 1_000);
    c.header('ratelimit-policy', policy);
    c.header('ratelimit', `"default";r=${remaining};t=${seconds}`);
    if (allowed) return;
    const tooLarge = requests !== undefined && requests >= limiter.limit.requests;
    const advice = tooLarge ? `Ask for less at once: at most ${limiter.limit.requests}` : `Wait ${seconds} s`;
    throw new Problem(429, 'rate-limited', `${advice}: see Retry-After and RateLimit-Policy.`, {
      headers: { 'retry-after': String(seconds) },
    });
  };
}

/** The network that is counted as one: an IPv4 address, or the prefix of an IPv6 one. */
export function networkOf(address: string | null): string {
  if (address?.includes(':') !== true) return address ?? 'unknown';
  const groups = ipaddr.IPv6.parse(address).parts.slice(0, IPV6_PREFIX_GROUPS);
  return `${groups.map((group) => group.toString(16)).join(':')}::/64`;
}
