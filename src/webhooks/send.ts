import { FetchError } from '../safe-fetch/fetch-error.ts';
import { retryAfter } from '../safe-fetch/retry-after.ts';
import type { SafePost } from '../safe-fetch/safe-post.ts';
import { SpanKind, withSpan } from '../telemetry/tracing.ts';
import { ANSWER_WITHIN_MS } from './limits.ts';
import { createSigner, type Secrets } from './secret.ts';

/** What is sent: its id, and the bytes, stay the same however often it is. */
export interface Message {
  id: string;
  body: string;
}

/** What came of one attempt. */
export interface Outcome {
  at: Date;
  durationMs: number;
  /** Null when nobody answered. */
  status: number | null;
  /** Why nobody did, as a word of ours. */
  error: string | null;
  /** What the endpoint asks for. */
  retryAfterMs: number | undefined;
}

/** Only these say that an event was taken. */
export const isTaken = ({ status }: Outcome): boolean => status !== null && status >= 200 && status < 300;

/** That nothing is to be sent any more. */
export const isGone = ({ status }: Outcome): boolean => status === 410;

/**
 * Sends a message once. Whatever comes of it is an outcome.
 * @throws the signal's reason
 */
export type Send = (message: Message, signal: AbortSignal) => Promise<Outcome>;

const SPAN = { kind: SpanKind.CLIENT, attributes: { 'http.request.method': 'POST' } };

/** Sends to an endpoint as it is now. */
export function createSender(poster: SafePost, endpoint: Secrets & { url: string }): Send {
  const url = new URL(endpoint.url);
  const sign = createSigner(endpoint);
  return async ({ id, body }, signal) => {
    const at = new Date();
    const startedAt = performance.now();
    const outcome = (answer: Pick<Outcome, 'status' | 'error'>, retryAfterMs?: number): Outcome => {
      return { at, durationMs: Math.round(performance.now() - startedAt), ...answer, retryAfterMs };
    };
    const headers = { 'content-type': 'application/json', ...sign(id, body) };
    try {
      const post = { headers, body, signal, withinMs: ANSWER_WITHIN_MS };
      const { status, retryAfter: asked } = await withSpan('POST', SPAN, async (span) => {
        const posted = await poster.post(url, post);
        span?.setAttribute('http.response.status_code', posted.status);
        return posted;
      });
      const until = retryAfter(asked, new Date());
      return outcome({ status, error: null }, until && until.getTime() - Date.now());
    } catch (err) {
      if (!(err instanceof FetchError)) throw err;
      return outcome({ status: null, error: err.reason });
    }
  };
}
