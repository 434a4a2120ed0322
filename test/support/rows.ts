import type { TestDatabase } from './database.ts';

/** How many rows each table has, to see that nothing was stored. */
export async function countRows({ prisma }: Pick<TestDatabase, 'prisma'>) {
  const [lead, leadEvent, outbox, notification, idempotencyKey] = await Promise.all([
    prisma.lead.count(),
    prisma.leadEvent.count(),
    prisma.outbox.count(),
    prisma.notification.count(),
    prisma.idempotencyKey.count(),
  ]);
  return { lead, leadEvent, outbox, notification, idempotencyKey };
}
