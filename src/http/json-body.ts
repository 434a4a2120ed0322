import type { MiddlewareHandler } from 'hono';
import type { HttpEnv } from './context.ts';
import { Problem } from './problem.ts';

export const MAX_BODY_BYTES = 1024 * 1024;

const METHODS_WITH_BODY = new Set(['POST', 'PATCH', 'PUT']);
const JSON_TYPE = /^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i;

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
  const bytes = await readBytes(c.req.raw);
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

async function readBytes(request: Request): Promise<Uint8Array> {
  const tooLarge = () =>
    new Problem(413, 'body-too-large', `Send at most ${MAX_BODY_BYTES} bytes.`, { headers: { connection: 'close' } });
  if (Number(request.headers.get('content-length') ?? 0) > MAX_BODY_BYTES) throw tooLarge();
  if (!request.headers.has('transfer-encoding')) return new Uint8Array(await request.arrayBuffer());

  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (request.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > MAX_BODY_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
