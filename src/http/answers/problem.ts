import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { HttpEnv } from '../context.ts';

/** Every kind of error that this API answers; the last part of a problem's `type`. */
export type ProblemCode =
  | 'invalid-request'
  | 'malformed-request'
  | 'malformed-body'
  | 'unauthenticated'
  | 'forbidden'
  | 'not-found'
  | 'method-not-allowed'
  | 'request-timeout'
  | 'conflict'
  | 'precondition-failed'
  | 'request-running'
  | 'idempotency-key-reused'
  | 'lead-erased'
  | 'cursor-gone'
  | 'body-too-large'
  | 'url-too-long'
  | 'unsupported-media-type'
  | 'rate-limited'
  | 'headers-too-large'
  | 'unavailable'
  | 'internal';

const TITLES: Record<ProblemCode, string> = {
  'invalid-request': 'The request is not valid',
  'malformed-request': 'The request is not HTTP',
  'malformed-body': 'The body cannot be read',
  unauthenticated: 'The request needs a valid API key',
  forbidden: 'This is not allowed',
  'not-found': 'There is no such thing',
  'method-not-allowed': 'This path does not take this method',
  'request-timeout': 'The request took too long to arrive',
  conflict: 'The request conflicts with what is stored',
  'precondition-failed': 'The lead is no longer what the request says',
  'request-running': 'The same request is still running',
  'idempotency-key-reused': 'The idempotency key was used for another request',
  'lead-erased': 'The lead of this request was erased',
  'cursor-gone': 'The feed does not go back so far',
  'body-too-large': 'The body is too large',
  'url-too-long': 'The URL is too long',
  'unsupported-media-type': 'The body is of another type',
  'rate-limited': 'There were too many requests',
  'headers-too-large': 'The headers are too large',
  unavailable: 'The service is not available at the moment',
  internal: 'Something went wrong on our side',
};

const typeOf = (code: string) => `urn:lead-onboarding:problem:${code}`;

export interface FieldError {
  path: string;
  message: string;
}

export const problemSchema = z
  .object({
    type: z.enum(Object.keys(TITLES).map(typeOf)).openapi({ example: typeOf('invalid-request') }),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    requestId: z.string(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .openapi('Problem');

/** The problem of a part of a request, which has no id of its own. */
export const partialProblemSchema = problemSchema.omit({ requestId: true }).openapi('PartialProblem');

export interface ProblemOptions {
  errors?: FieldError[];
  headers?: Record<string, string>;
}

export const PROBLEM_TYPE = 'application/problem+json';

/** An error that is answered as it is, as RFC 9457 `application/problem+json`. `detail` says what to do about it. */
export class Problem extends Error {
  override name = 'Problem';
  readonly status: ContentfulStatusCode;
  readonly code: ProblemCode;
  readonly options: ProblemOptions;

  constructor(status: ContentfulStatusCode, code: ProblemCode, detail: string, options: ProblemOptions = {}) {
    super(detail);
    this.status = status;
    this.code = code;
    this.options = options;
  }

  /** The answer to the request in hand. */
  toResponse(c: Context<HttpEnv>): Response {
    const headers = { ...this.options.headers, 'content-type': PROBLEM_TYPE };
    return c.body(this.toDocument(c.get('requestId')), this.status, headers);
  }

  /** The body of the answer. */
  toDocument(requestId: string): string {
    const { errors, ...document } = this.describe();
    return JSON.stringify({ ...document, requestId, ...(errors && { errors }) });
  }

  /** What it says, where it is a part of an answer. */
  describe(): z.infer<typeof partialProblemSchema> {
    const { status, code, message, options } = this;
    return {
      type: typeOf(code),
      title: TITLES[code],
      status,
      detail: message,
      ...(options.errors && { errors: options.errors }),
    };
  }
}

/** One organization has as much under way as it may; the others are served. */
export const overShare = (detail: string, retryAfterSeconds: number): Problem =>
  new Problem(429, 'rate-limited', detail, { headers: { 'retry-after': String(retryAfterSeconds) } });

/** Describes in OpenAPI which problems a route answers, beside those of every route under `/api`. */
export function problemResponses<Status extends number = never>(...statuses: Status[]) {
  return describeProblems<Status | 400 | 401 | 403 | 429 | 500 | 503>(400, 401, 403, ...statuses, 429, 500, 503);
}

/** Describes in OpenAPI the problems of these statuses, and of those that are answered before a route is looked for. */
export function describeProblems<Status extends number>(...statuses: Status[]): Record<Status, ProblemResponse> {
  type Described = Record<Status, ProblemResponse>;
  const content = { [PROBLEM_TYPE]: { schema: problemSchema } };
  const describe = (status: number) => ({
    description: DESCRIPTIONS[status] ?? 'Problem',
    content,
    ...(RETRIABLE.has(status) && { headers: z.object({ 'retry-after': retryAfter }) }),
  });
  const described = Object.fromEntries(statuses.map((status) => [status, describe(status)])) as Described;
  const anyOther = { description: 'The request as such is refused: too slow, too long, not HTTP', content };
  return { ...described, default: anyOther };
}

interface ProblemResponse {
  description: string;
  content: { [PROBLEM_TYPE]: { schema: typeof problemSchema } };
}

const RETRIABLE = new Set([429, 503]);
const retryAfter = z.string().openapi({ description: 'Seconds', example: '1' });

const DESCRIPTIONS: Record<number, string> = {
  400: 'Malformed or not valid; `errors` names each field at fault',
  401: 'No API key, or one that is unknown, expired or revoked',
  403: 'The key lacks a scope, or is of another organization',
  404: 'Unknown id',
  409: 'In conflict with what is stored, or the same request is still running',
  410: 'Gone: the lead of this idempotency key was erased, or the feed does not go back as far as this cursor',
  412: '`If-Match` names another version: somebody else has changed the lead',
  413: 'Body over 1 MiB, or a form over 64 KiB',
  415: 'Body is of another type than those listed',
  422: 'The idempotency key was used with another body',
  429: 'Too many requests; try again after `Retry-After` seconds',
  500: 'Fault on our side',
  503: 'Not available at the moment; try again after `Retry-After` seconds',
};
