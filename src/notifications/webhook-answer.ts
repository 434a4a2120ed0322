import { ApplicationFailure } from '@temporalio/activity';

/** Client errors that pass by themselves: Request Timeout, Too Early, Too Many Requests. */
const PASSING = new Set([408, 425, 429]);
/** A receiver that asks for less, or for so much that the day would be over, is asked again after this. */
const MIN_RETRY_MS = 1_000;
const MAX_RETRY_MS = 3_600_000;

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

/** Milliseconds of a `Retry-After`, which is a number of seconds or a date; RFC 9110, section 10.2.3. */
function retryDelay(header: string | null): number | undefined {
  if (header === null) return undefined;
  const wanted = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return Number.isNaN(wanted) ? undefined : Math.min(Math.max(wanted, MIN_RETRY_MS), MAX_RETRY_MS);
}
