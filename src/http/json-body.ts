import type { MiddlewareHandler } from 'hono';
import type { HttpEnv } from './context.ts';
import { Problem } from './problem.ts';

export const MAX_BODY_BYTES = 1024 * 1024;
const MAX_DISCARDED_BYTES = 32 * MAX_BODY_BYTES;

const METHODS_WITH_BODY = new Set(['POST', 'PATCH', 'PUT']);
const JSON_TYPE = /^application\/json(;\s*charset="?utf-8"?)?$/i;

/**
 * Reads a body before anything else does: at most 1 MiB of strict UTF-8 declared as JSON. Hono would decode invalid
 * bytes to U+FFFD without a word.
 */
export const readJsonBody: MiddlewareHandler<HttpEnv> = async (c, next) => {
  const type = c.req.header('content-type');
  if (!METHODS_WITH_BODY.has(c.req.method) || (type === undefined && !hasBody(c.req.raw))) return next();
  if (type === undefined || !JSON_TYPE.test(type)) {
    throw new Problem(415, 'unsupported-media-type', 'Send the body as application/json in UTF-8.');
  }
  const bytes = await readBytes(c.req.raw).catch((err: unknown) => {
    throw err instanceof Problem ? err : new Problem(400, 'malformed-body', 'The body ended too early.');
  });
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    c.req.bodyCache.text = Promise.resolve(text) as unknown as string; // what Hono keeps there, whatever its type says
  } catch {
    throw new Problem(400, 'malformed-body', 'The body is not valid UTF-8.');
  }
  return next();
};

const hasBody = ({ headers }: Request) =>
  (headers.get('content-length') ?? '0') !== '0' || headers.has('transfer-encoding');

/** A sender that is cut off sees a broken pipe, not the answer: what is too much is read past, up to a bound. */
async function readBytes(request: Request): Promise<Uint8Array> {
  const declared = Number(request.headers.get('content-length') ?? 0);
  const isChunked = request.headers.has('transfer-encoding');
  if (declared <= MAX_BODY_BYTES && !isChunked) return new Uint8Array(await request.arrayBuffer());

  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (request.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size <= MAX_BODY_BYTES) chunks.push(chunk);
    if (size > MAX_DISCARDED_BYTES) break;
  }
  if (Math.max(size, declared) > MAX_BODY_BYTES) {
    throw new Problem(413, 'body-too-large', `Send at most ${MAX_BODY_BYTES} bytes.`);
  }
  return Buffer.concat(chunks);
}
