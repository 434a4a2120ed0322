import { createHash } from 'node:crypto';

/** Whose inbox. */
export interface Inbox {
  organizationId: string;
  userId: string;
}

/** Postgres notifies on it, with the id of the inbox that has changed. */
export const INBOX_CHANNEL = 'inbox';

/** The id of an inbox, as `inbox_id` in the database makes it. */
export const inboxId = ({ organizationId, userId }: Inbox): string =>
  createHash('sha256').update(`${organizationId}\0${userId}`).digest('hex');
