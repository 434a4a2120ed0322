import { uuidv7 } from 'uuidv7';
import type { Prisma } from '../db/generated/client.ts';
import type { Caller } from './caller.ts';

/** What operators do, to the service as a whole. */
export type OperatorActionName =
  | 'operator-key.created'
  | 'operator-key.revoked'
  | 'retry.started'
  | 'retry.paused'
  | 'retry.resumed'
  | 'retry.canceled'
  | 'queue.pause'
  | 'queue.resume'
  | 'queue.rate'
  | 'queue.unchanged'
  | 'queue.unknown'
  | 'consistency.repaired';

export interface NewOperatorAction {
  id?: string;
  action: OperatorActionName;
  /** The id or the name of what it is done to. */
  subject: string;
  /** Why, in the operator's words. */
  reason: string;
  /** More of it: ids, numbers and names of things, never of persons. */
  data?: Prisma.InputJsonObject;
}

/** Notes what an operator does, in the transaction that carries it out. */
export async function recordOperatorAction(
  tx: Prisma.TransactionClient,
  { id = uuidv7(), action, subject, reason, data = {} }: NewOperatorAction,
  caller: Caller,
): Promise<void> {
  await tx.$executeRaw`
    INSERT INTO operator_action (id, action, subject, reason, data, caller)
    VALUES (${id}::uuid, ${action}, ${subject}, ${reason}, ${JSON.stringify(data)}::jsonb,
            ${JSON.stringify(caller)}::jsonb)`;
}
