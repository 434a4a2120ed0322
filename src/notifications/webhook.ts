import { ApplicationFailure } from '@temporalio/activity';
import { TimeoutError } from 'p-timeout';
import { Webhook } from 'standardwebhooks';
import type { Notification } from '../db/generated/client.ts';
import { cleanName } from '../db/visible-text.ts';
import { codeOf, post } from './post.ts';
import { judgeAnswer } from './webhook-answer.ts';

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
  let hangs = false;
  let underWay = 0;
  return {
    async send(notification, signal) {
      const { id } = notification;
      // While it hangs, one at a time asks again: all together they would hold every slot, and the inboxes would wait.
      if (hangs && underWay > 0) throw unavailable(id, 'it hangs');
      underWay += 1;
      try {
        const answer = await post(url, toRequest(notification, signer), signal);
        hangs = false;
        judgeAnswer(answer, id);
      } catch (err) {
        if (err instanceof ApplicationFailure || signal.aborted) throw err;
        hangs = err instanceof TimeoutError;
        throw unavailable(id, codeOf(err));
      } finally {
        underWay -= 1;
      }
    },
  };
}

function unavailable(id: string, why: string): ApplicationFailure {
  const message = `The webhook did not answer to notification ${id}: ${why}`;
  return ApplicationFailure.create({ message, type: 'WebhookUnavailable' });
}

function toRequest({ createdAt, ...notification }: Notification, signer: Webhook) {
  const { id, organizationId, leadId, userId, type, title, message, actionUrl } = notification;
  const timestamp = createdAt.toISOString();
  const data = {
    id,
    organizationId,
    leadId,
    userId,
    type,
    title,
    message: cleanName(message),
    actionUrl,
    createdAt: timestamp,
  };
  const body = JSON.stringify({ type: 'notification.created', timestamp, data });
  const sentAt = new Date();
  const headers = {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(sentAt.getTime() / 1_000)),
    'webhook-signature': signer.sign(id, sentAt, body),
  };
  return { headers, body };
}
