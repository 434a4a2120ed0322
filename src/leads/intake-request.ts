import type { Caller } from '../audit/caller.ts';
import type { Submission } from './submission.ts';

export interface IntakeSettings {
  enrichmentDelayMs: number;
  idempotencyTtlHours: number;
}

/** What is done to a lead that is there already: `update` changes it by what the submission states. */
export const ON_DUPLICATE = ['keep', 'update'] as const;
export type OnDuplicate = (typeof ON_DUPLICATE)[number];

export interface IntakeRequest {
  /** Whose lead it will be: the caller's own organization. */
  organizationId: string;
  submission: Submission;
  /** Fields that the caller itself has named, to correct what web forms have said; of a form none count. */
  stated?: readonly string[];
  /** By default the lead is kept. */
  onDuplicate?: OnDuplicate | undefined;
  caller: Caller;
  idempotencyKey: string | undefined;
  /** Milliseconds for which relays leave the order to this process; 0 when it will not carry it out itself. */
  orderDelayMs: number;
}
