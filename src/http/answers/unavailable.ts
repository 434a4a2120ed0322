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

/** What is put, changed or taken away twice is as after once; what is posted may be done twice. */
function unknownOutcome(c: Context<HttpEnv>): string {
  if (c.req.header('idempotency-key') !== undefined)
    return 'It may have been done. Send it again with the same Idempotency-Key: it is not done twice.';
  return c.req.method === 'POST'
    ? 'It may have been done, and without an Idempotency-Key it would be done again: look first.'
    : 'It may have been done. Send it again: twice is no different from once.';
}
