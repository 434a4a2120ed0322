import { getConnInfo } from '@hono/node-server/conninfo';
import type { Context } from 'hono';
import ipaddr from 'ipaddr.js';
import type { Caller } from '../../audit/caller.ts';
import { isStorable } from '../../db/text.ts';
import { hidesNothing } from '../../db/visible-text.ts';
import type { HttpEnv } from '../context.ts';
import { Problem } from '../answers/problem.ts';

const MAX_ACTOR = 200;
const MAX_USER_AGENT = 500;

/** Finds who asks, for the audit. */
export function callerReader(trustedProxies: readonly string[]) {
  const readAddress = addressReader(trustedProxies);
  return (c: Context<HttpEnv>): Caller => {
    const userAgent = c.req.header('user-agent')?.slice(0, MAX_USER_AGENT) ?? null;
    return {
      keyId: (c.var.key ?? c.var.operator)?.id ?? null,
      userId: readActor(c.req.header('x-actor-id')),
      ipAddress: readAddress(c),
      userAgent: userAgent !== null && isStorable(userAgent) ? userAgent : null,
      requestId: c.get('requestId'),
    };
  };
}

/**
 * Finds the address that a request comes from; null when its connection is gone. `trustedProxies` are addresses or
 * ranges; only what they say in `x-forwarded-for` is believed.
 */
export function addressReader(trustedProxies: readonly string[]) {
  const ranges = trustedProxies.map((entry) =>
    entry.includes('/')
      ? ipaddr.parseCIDR(entry)
      : ([ipaddr.process(entry), ipaddr.process(entry).kind() === 'ipv4' ? 32 : 128] as const),
  );
  const isTrusted = (address: string) => {
    const parsed = ipaddr.process(address);
    return ranges.some(([range, bits]) => range.kind() === parsed.kind() && parsed.match([range, bits] as never));
  };
  return (c: Context<HttpEnv>): string | null =>
    clientAddress(peerAddress(c), c.req.header('x-forwarded-for'), isTrusted);
}

function readActor(actor: string | undefined): string | null {
  if (actor === undefined) return null;
  if (actor.trim() === '' || actor.length > MAX_ACTOR || !hidesNothing(actor)) {
    const message = `must have 1 to ${MAX_ACTOR} characters, none of which hides`;
    throw new Problem(400, 'invalid-request', 'Correct the header X-Actor-Id.', {
      errors: [{ path: 'X-Actor-Id', message }],
    });
  }
  return actor;
}

/** The last address that no trusted proxy vouches for; a header that does not parse is not believed at all. */
function clientAddress(
  peer: string | undefined,
  forwardedFor: string | undefined,
  isTrusted: (address: string) => boolean,
): string | null {
  if (peer === undefined) return null;
  let client = ipaddr.process(peer).toString();
  const hops = forwardedFor?.split(',').map((hop) => hop.trim()) ?? [];
  for (const hop of hops.reverse()) {
    if (!isTrusted(client) || !ipaddr.isValid(hop)) break;
    client = ipaddr.process(hop).toString();
  }
  return client;
}

/** Undefined when there is no socket, as with `app.request`. */
function peerAddress(c: Context<HttpEnv>): string | undefined {
  const env = c.env as { incoming?: unknown } | undefined;
  return env?.incoming === undefined ? undefined : getConnInfo(c).remote.address;
}
