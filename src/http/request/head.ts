import type { HttpBindings } from '@hono/node-server';
import type { MiddlewareHandler } from 'hono';
import type { HttpEnv } from '../context.ts';
import { Problem } from '../answers/problem.ts';

/** The longest valid query, with every character of it percent-encoded, has under 6,000. */
const MAX_URL = 8_000;
/** Node takes 2,000 and drops the rest without a word. */
const MAX_HEADERS = 100;

/** Hono leaves what it cannot decode as it is, without a word. */
function isDecodable(url: string): boolean {
  try {
    decodeURIComponent(url);
    return true;
  } catch {
    return false;
  }
}

/** Refuses a head that no honest caller sends. That it has 16 KiB at most is Node's own limit: see `server.ts`. */
export const limitRequestHead: MiddlewareHandler<HttpEnv> = (c, next) => {
  if (c.req.url.length > MAX_URL)
    throw new Problem(414, 'url-too-long', `Send a URL of at most ${MAX_URL} characters.`);
  if (!isDecodable(c.req.url)) {
    throw new Problem(400, 'invalid-request', 'Send a URL that is percent-encoded UTF-8: % itself is %25.');
  }
  const { incoming } = (c.env ?? {}) as Partial<HttpBindings>;
  if (incoming && incoming.rawHeaders.length / 2 > MAX_HEADERS) {
    throw new Problem(431, 'headers-too-large', `Send at most ${MAX_HEADERS} headers.`);
  }
  return next();
};
