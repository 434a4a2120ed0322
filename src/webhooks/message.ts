import type { Event } from '../events/event.ts';
import type { Message } from './send.ts';

/** An event of the feed → the message, in the form of https://www.standardwebhooks.com. */
export function toMessage({ id, type, version, at, leadId, data: said }: Event): Message {
  const data = { id, type, version, at, leadId, data: said };
  return { id, body: JSON.stringify({ type, timestamp: at, data }) };
}

/** What `POST /api/webhooks/{id}/test` sends. */
export const TEST_TYPE = 'webhook.test';

/** @param since when it was asked for */
export function toTestMessage(id: string, endpointId: string, since: Date): Message {
  const timestamp = since.toISOString();
  return { id, body: JSON.stringify({ type: TEST_TYPE, timestamp, data: { id, endpointId } }) };
}
