import type { Context } from 'hono';
import type { HttpEnv } from '../context.ts';
import { Problem } from './problem.ts';

/** A 503 that tells what is certain. `outcome`: whether something of what the request asks for may have been stored. */
export function unavailable(c: Context<HttpEnv>, outcome: 'nothing-stored' | 'unknown'): Problem {
  const reads = c.req.method === 'GET' || c.req.method === 'HEAD';
  const detail =
    outcome === 'nothing-stored' || reads ? 'Nothing was stored. Try again in a moment.' : unknownOutcome(c);
  return new Problem(503, 'unavailable', detail, { headers: { 'retry-after': '1' } });
}

/** Whatever else is sent twice changes nothing more the second time. */
function unknownOutcome(c: Context<HttpEnv>): string {
  return c.req.path === '/api/leads'
    ? 'The lead may have been stored. Send it again with the same Idempotency-Key, and it is not stored twice; without a key, look for it first.'
    : 'It may have been done. Send it again: twice is no different from once.';
}
