import { createHash } from 'node:crypto';
import type { Inbox } from './inbox.ts';

/** Postgres notifies on it, with the id of the inbox that has changed. */
export const INBOX_CHANNEL = 'inbox';

/** The id of an inbox, as `inbox_id` in the database makes it. */
export const inboxId = ({ organizationId, userId }: Inbox): string =>
  createHash('sha256').update(`${organizationId}\0${userId}`).digest('hex');
