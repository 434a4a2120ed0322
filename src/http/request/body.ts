import type { Context, MiddlewareHandler } from 'hono';
import type { HttpEnv } from '../context.ts';
import { parseJson } from './parse-json.ts';
import { Problem } from '../answers/problem.ts';

export const MAX_BODY_BYTES = 1024 * 1024;
/** A form is typed by a person. */
export const MAX_FORM_BYTES = 64 * 1024;
const MAX_DISCARDED_BYTES = 32 * MAX_BODY_BYTES;

const METHODS_WITH_BODY = new Set(['POST', 'PATCH', 'PUT']);
const JSON_TYPE = /^application\/json(;\s*charset="?utf-8"?)?$/i;
/** https://www.rfc-editor.org/rfc/rfc7396 */
export const MERGE_PATCH = 'application/merge-patch+json';
const MERGE_PATCH_TYPE = /^application\/merge-patch\+json(;\s*charset="?utf-8"?)?$/i;
const FORM_TYPE = /^application\/x-www-form-urlencoded(;\s*charset="?utf-8"?)?$/i;

/** Says whether the body is what a browser sends for a form, and not JSON. */
export const isUrlencoded = (c: Context): boolean => FORM_TYPE.test(c.req.header('content-type') ?? '');

/** Says whether the body is a patch to merge. */
export const isMergePatch = (c: Context): boolean => MERGE_PATCH_TYPE.test(c.req.header('content-type') ?? '');

const readJsonBody = readBody(MAX_BODY_BYTES, 'application/json in UTF-8', JSON_TYPE);

const readPatchBody = readBody(
  MAX_BODY_BYTES,
  `application/json or ${MERGE_PATCH} in UTF-8`,
  JSON_TYPE,
  MERGE_PATCH_TYPE,
);

const LEAD_PATH = /^\/api\/leads\/[^/]+$/;

/** Reads a body of JSON; of a change of a lead also a patch to merge. */
export const readApiBody: MiddlewareHandler<HttpEnv> = (c, next) =>
  (c.req.method === 'PATCH' && LEAD_PATH.test(c.req.path) ? readPatchBody : readJsonBody)(c, next);

/** Reads a body of a web form, or of a script in its place. */
export const readFormBody = readBody(
  MAX_FORM_BYTES,
  'application/x-www-form-urlencoded or application/json in UTF-8',
  JSON_TYPE,
  FORM_TYPE,
);

/**
 * Reads a body before anything else does: at most `max` bytes of strict UTF-8 declared as one of `types`. Hono would
 * decode invalid bytes to U+FFFD, and take one of two values for a name, without a word.
 */
function readBody(max: number, expected: string, ...types: RegExp[]): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const type = c.req.header('content-type');
    if (!METHODS_WITH_BODY.has(c.req.method) || (type === undefined && !hasBody(c.req.raw))) return next();
    if (type === undefined || !types.some((accepted) => accepted.test(type))) {
      throw new Problem(415, 'unsupported-media-type', `Send the body as ${expected}.`);
    }
    const bytes = await readBytes(c.req.raw, max).catch((err: unknown) => {
      throw err instanceof Problem ? err : new Problem(400, 'malformed-body', 'The body ended too early.');
    });
    const text = decode(bytes);
    if (!FORM_TYPE.test(type)) parseJson(text);
    c.req.bodyCache.text = Promise.resolve(text) as unknown as string; // what Hono keeps there, whatever its type says
    return next();
  };
}

const hasBody = ({ headers }: Request) =>
  (headers.get('content-length') ?? '0') !== '0' || headers.has('transfer-encoding');

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Problem(400, 'malformed-body', 'The body is not valid UTF-8.');
  }
}

/** A sender that is cut off sees a broken pipe, not the answer: what is too much is read past, up to a bound. */
async function readBytes(request: Request, max: number): Promise<Uint8Array> {
  const declared = Number(request.headers.get('content-length') ?? 0);
  const isChunked = request.headers.has('transfer-encoding');
  if (declared <= max && !isChunked) return new Uint8Array(await request.arrayBuffer());

  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (request.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size <= max) chunks.push(chunk);
    if (size > MAX_DISCARDED_BYTES) break;
  }
  if (Math.max(size, declared) > max) {
    throw new Problem(413, 'body-too-large', `Send at most ${max} bytes.`);
  }
  return Buffer.concat(chunks);
}
