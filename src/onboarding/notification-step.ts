import { ApplicationFailure } from '@temporalio/activity';
import { v7 as uuidv7 } from 'uuid';
import {
  type AssignmentRef,
  FAILURES,
  type NotifyResult,
  type OnboardingRef,
  type StepReport,
} from '../../workflows/contract.ts';
import type { Lead, Prisma } from '../db/generated/client.ts';
import { lockLead } from '../leads/lock-lead.ts';
import { endWatch, WATCHED } from '../outbox/watch.ts';
import { createNotification, findNotification, isAssigned } from '../notifications/create.ts';
import { openStep } from './open-step.ts';
import { reasonOf, recordStep } from './step-record.ts';

/** What is in the inbox now, of this run or of an earlier one. */
export interface Notified extends NotifyResult {
  /** Absent when nobody is to be told. */
  notificationId?: string | undefined;
  /** Whose inbox has it; absent when this run has nothing to do with that. */
  userId?: string | undefined;
}

/** The notify step of an onboarding. A second run answers what the first one wrote. */
export async function recordNotification(tx: Prisma.TransactionClient, ref: OnboardingRef): Promise<Notified> {
  const { lead, recorded } = await openStep(tx, ref, 'notification');
  if (recorded) {
    const { notificationId, userId } = recorded.data as Pick<Notified, 'notificationId' | 'userId'>;
    return { outcome: recorded.type === 'notification.created' ? 'created' : 'skipped', notificationId, userId };
  }
  if (!isAssigned(lead)) {
    await recordStep(tx, ref, 'notification', 'notification.skipped', { reason: 'no-assignee' });
    return { outcome: 'skipped' };
  }
  const before = await findNotification(tx, lead.id, lead.assignment);
  if (before) {
    const data = { reason: 'notified-before', notificationId: before.id };
    await recordStep(tx, ref, 'notification', 'notification.skipped', data);
    return { outcome: 'skipped', notificationId: before.id };
  }
  return tell(tx, ref, lead);
}

/** Tells an assignee that a lead got after its creation, unless another one has replaced them before they were told. */
export async function recordReassignment(tx: Prisma.TransactionClient, ref: AssignmentRef): Promise<Notified> {
  const lead = await lockLead(tx, ref.leadId);
  if (!lead) throw ApplicationFailure.nonRetryable(`Lead ${ref.leadId} does not exist`, FAILURES.leadGone);
  const told = await findNotification(tx, ref.leadId, ref.assignment);
  if (told) return { outcome: 'created', notificationId: told.id, userId: told.userId };
  await endWatch(tx, ref.leadId, WATCHED.assignment(ref.assignment));
  if (!isAssigned(lead) || lead.assignment !== ref.assignment) return { outcome: 'skipped' };
  return tell(tx, ref, lead);
}

async function tell(
  tx: Prisma.TransactionClient,
  ref: OnboardingRef | AssignmentRef,
  lead: Lead & { assignedTo: string },
): Promise<Notified> {
  const told = { userId: lead.assignedTo, notificationId: uuidv7() };
  await recordStep(tx, ref, 'notification', 'notification.created', told);
  await createNotification(tx, lead, told.notificationId);
  return { outcome: 'created', ...told };
}

/** Notes that the notify step gave up. When the notification is in the inbox already, it is its delivery that did. */
export async function recordNotificationFailure(
  tx: Prisma.TransactionClient,
  ref: OnboardingRef,
  report: Pick<StepReport<string>, 'reason'>,
): Promise<void> {
  const nothingBefore = await recordStep(tx, ref, 'notification', 'notification.failed', reasonOf(report));
  if (!nothingBefore) await recordStep(tx, ref, 'delivery', 'notification.failed', reasonOf(report));
}
