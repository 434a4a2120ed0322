import { z } from '@hono/zod-openapi';
import type { OperatorAction, Prisma } from '../db/generated/client.ts';
import { callerSchema } from './entry.ts';

/** Read at once. */
const PAGE = 500;

/** What an operator did, as the API tells of it. */
export const operatorEntrySchema = z
  .object({
    id: z.uuid(),
    at: z.iso.datetime(),
    action: z.string().openapi({ example: 'retry.started' }),
    subject: z.string().openapi({ description: 'The id or the name of what it was done to' }),
    reason: z.string(),
    data: z.record(z.string(), z.unknown()),
    caller: callerSchema,
  })
  .openapi('OperatorAction');

export type OperatorEntry = z.infer<typeof operatorEntrySchema>;

/** What operators did within a time, the oldest first, read page by page. */
export async function* readOperatorActions(
  db: Prisma.TransactionClient,
  { from, until }: { from?: Date | undefined; until?: Date | undefined },
): AsyncGenerator<OperatorEntry> {
  let after: OperatorAction | undefined;
  for (;;) {
    const rows: OperatorAction[] = await db.operatorAction.findMany({
      where: {
        AND: [
          { at: { ...(from && { gte: from }), ...(until && { lt: until }) } },
          after ? { at: { gte: after.at }, OR: [{ at: { gt: after.at } }, { id: { gt: after.id } }] } : {},
        ],
      },
      orderBy: [{ at: 'asc' }, { id: 'asc' }],
      take: PAGE,
    });
    yield* rows.map(toEntry);
    if (rows.length < PAGE) return;
    after = rows.at(-1);
  }
}

function toEntry({ data, caller, at, ...rest }: OperatorAction): OperatorEntry {
  return {
    ...rest,
    at: at.toISOString(),
    data: data as OperatorEntry['data'],
    caller: caller as OperatorEntry['caller'],
  };
}
