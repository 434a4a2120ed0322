import { ApplicationFailure } from '@temporalio/activity';
import { Webhook } from 'standardwebhooks';
import type { Notification } from '../db/generated/client.ts';
import { judgeAnswer } from './webhook-answer.ts';

/** An attempt of the activity has 10 s for all that it does. */
const DEADLINE_MS = 5_000;

/** Somebody else's system that is told of every notification. */
export interface NotificationWebhook {
  /**
   * Sends a notification once; its id stays the same however often it is sent.
   * @throws ApplicationFailure `WebhookRefused`, which is final, or `WebhookUnavailable`; their messages have ids and codes only
   */
  send(notification: Notification, signal: AbortSignal): Promise<void>;
}

/**
 * A webhook as https://www.standardwebhooks.com has it. The operator chooses the address, so that it may well be inside
 * of a private network: there is no guard against that.
 */
export function createNotificationWebhook({ url, secret }: { url: string; secret: string }): NotificationWebhook {
  const signer = new Webhook(secret);
  return {
    async send(notification, signal) {
      const body = JSON.stringify(toEvent(notification));
      const sentAt = new Date();
      const headers = {
        'content-type': 'application/json',
        'webhook-id': notification.id,
        'webhook-timestamp': String(Math.floor(sentAt.getTime() / 1_000)),
        'webhook-signature': signer.sign(notification.id, sentAt, body),
      };
      const answer = await post(url, { headers, body }, signal).catch((err: unknown) => {
        if (signal.aborted) throw err;
        const message = `The webhook did not answer to notification ${notification.id}: ${codeOf(err)}`;
        throw ApplicationFailure.create({ message, type: 'WebhookUnavailable' });
      });
      judgeAnswer(answer, notification.id);
    },
  };
}

function toEvent({ createdAt, ...notification }: Notification) {
  const { id, organizationId, leadId, userId, type, title, message, actionUrl } = notification;
  const timestamp = createdAt.toISOString();
  const data = { id, organizationId, leadId, userId, type, title, message, actionUrl, createdAt: timestamp };
  return { type: 'notification.created', timestamp, data };
}

/** Follows no redirect, and reads no body: only status and headers count. */
async function post(url: string, request: { headers: Record<string, string>; body: string }, signal: AbortSignal) {
  // Not `AbortSignal.any` with `AbortSignal.timeout`: in Node 20 the garbage collector takes the timer away.
  const stop = new AbortController();
  const deadline = setTimeout(() => stop.abort(new DOMException('too late', 'TimeoutError')), DEADLINE_MS);
  const cancel = () => stop.abort(signal.reason);
  signal.addEventListener('abort', cancel);
  try {
    const response = await fetch(url, { ...request, method: 'POST', redirect: 'manual', signal: stop.signal });
    await response.body?.cancel();
    return response;
  } finally {
    clearTimeout(deadline);
    signal.removeEventListener('abort', cancel);
  }
}

/** `ECONNREFUSED`, `UND_ERR_SOCKET`, `TimeoutError`: the code of the cause if it has one, else the kind of error. */
function codeOf(err: unknown): string {
  const cause: unknown = err instanceof Error && err.cause ? err.cause : err;
  if (!(cause instanceof Error)) return typeof cause;
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name;
}
