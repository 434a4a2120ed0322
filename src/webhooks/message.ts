import type { Event } from '../events/event.ts';
import type { Message } from './send.ts';

/** An event of the feed → the message, in the form of https://www.standardwebhooks.com. */
export function toMessage({ id, type, version, at, leadId, data: said }: Event): Message {
  const data = { id, type, version, at, leadId, data: said };
  return { id, body: JSON.stringify({ type, timestamp: at, data }) };
}

/** What `POST /api/webhooks/{id}/test` sends. */
export const TEST_TYPE = 'webhook.test';

/** Its time is that of its id (https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-7): it is the same however often it is sent. */
export function toTestMessage(id: string, endpointId: string): Message {
  const timestamp = new Date(Number(`0x${id.slice(0, 8)}${id.slice(9, 13)}`)).toISOString();
  return { id, body: JSON.stringify({ type: TEST_TYPE, timestamp, data: { id, endpointId } }) };
}
