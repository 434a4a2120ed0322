import { ApplicationFailure } from '@temporalio/activity';
import { retryAfter } from '../safe-fetch/retry-after.ts';

/** Client errors that pass by themselves: Request Timeout, Too Early, Too Many Requests. */
const PASSING = new Set([408, 425, 429]);
/** A receiver that asks for less is asked again after this. */
const MIN_RETRY_MS = 1_000;

/**
 * Tells whether a receiver has taken a notification. A redirect is an answer like any other: it is not followed.
 * @throws ApplicationFailure `WebhookRefused`, which is final, or `WebhookUnavailable`
 */
export function judgeAnswer({ ok, status, headers }: Response, notificationId: string): void {
  if (ok) return;
  const message = `The webhook answered ${status} to notification ${notificationId}`;
  const isFinal = status >= 400 && status < 500 && !PASSING.has(status);
  if (isFinal) throw ApplicationFailure.nonRetryable(message, 'WebhookRefused');
  const nextRetryDelay = retryDelay(headers.get('retry-after'));
  throw ApplicationFailure.create({
    message,
    type: 'WebhookUnavailable',
    ...(nextRetryDelay !== undefined && { nextRetryDelay }),
  });
}

/** Milliseconds until a receiver wants to be asked again; undefined when it does not say. */
function retryDelay(header: string | null): number | undefined {
  const now = new Date();
  const at = retryAfter(header ?? undefined, now);
  return at && Math.max(at.getTime() - now.getTime(), MIN_RETRY_MS);
}
