import { uuidv7 } from 'uuidv7';
import { INBOX_CHANNEL, inboxId } from '../../src/notifications/inbox-id.ts';
import type { TestDatabase } from './database.ts';
import { takeIn } from './onboarding.ts';

export type TestInbox = Awaited<ReturnType<typeof createInbox>>;

let users = 0;

/** An inbox of a user of its own, and a way to fill it. */
export async function createInbox(database: TestDatabase, organizationId = 'org-123') {
  users += 1;
  const owner = { organizationId, userId: `user-${users} ção 🙂` };
  const { leadId } = await takeIn(database, { organizationId });
  let assignment = 0;
  /** A notification that is not stored yet; those of a later call have a later id. */
  const compose = (message = 'Lead João Silva foi criado e atribuído a você') => {
    assignment += 1;
    const text = { title: 'Novo Lead', message, actionUrl: `/dashboard/leads/${leadId}` };
    return { ...owner, ...text, id: uuidv7(), leadId, assignment };
  };
  const store = async (message?: string): Promise<string> => {
    const { id } = await database.prisma.notification.create({ data: compose(message) });
    return id;
  };
  const announce = () => database.pool.query(`SELECT pg_notify('${INBOX_CHANNEL}', $1)`, [inboxId(owner)]);
  return {
    owner,
    query: new URLSearchParams(owner).toString(),
    compose,
    /** Stores one, and announces it as a notify worker does. @returns its id */
    async add(message?: string): Promise<string> {
      const id = await store(message);
      await announce();
      return id;
    },
    /** Stores one; the worker dies before it announces it. @returns its id */
    store,
    announce,
  };
}
