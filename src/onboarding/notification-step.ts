import type { Pool } from 'pg';
import type { AssignmentRef, NotifyResult, OnboardingRef, StepReport } from '../../workflows/contract.ts';
import type { Prisma } from '../db/generated/client.ts';
import { NEW_LEAD_TEXTS } from '../notifications/new-lead.ts';
import { callStep } from './call-step.ts';
import { reasonOf, recordStep } from './step-record.ts';

/** What is in the inbox now, of this run or of an earlier one. */
export interface Notified extends NotifyResult {
  /** Absent when nobody is to be told. */
  notificationId?: string | undefined;
  /** Whose inbox has it; absent when this run has nothing to do with that. */
  userId?: string | undefined;
}

/** The notify step of an onboarding. A second run answers what the first one wrote. */
export const recordNotification = (pool: Pool, ref: OnboardingRef): Promise<Notified> =>
  callStep<Notified>(pool, 'notify_assignee', ref, NEW_LEAD_TEXTS);

/** Tells an assignee that a lead got after its creation, unless another one has replaced them before they were told. */
export const recordReassignment = (pool: Pool, ref: AssignmentRef): Promise<Notified> =>
  callStep<Notified>(pool, 'notify_reassigned', ref, ref.assignment, NEW_LEAD_TEXTS);

/** Notes that the notify step gave up, unless what it does was done after all. */
export async function recordNotificationFailure(
  tx: Prisma.TransactionClient,
  ref: OnboardingRef,
  report: Pick<StepReport<string>, 'reason'>,
): Promise<void> {
  await recordStep(tx, ref, 'notification', 'notification.failed', reasonOf(report));
}
