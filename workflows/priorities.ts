import type { LeadPriority, OnboardingRef } from './contract.ts';

/** Temporal refuses longer fairness keys. */
const FAIRNESS_KEY_BYTES = 64;
const SCORE = 'score:';

/** Temporal's order within a task queue: 1 goes first, 5 last. The lead's priority decides, whatever the work is. */
const LEVELS: Record<LeadPriority, number> = { CRITICAL: 1, HIGH: 2, NORMAL: 3, LOW: 4 };
/** For what has time: no lead waits for it. */
const LAST = 5;

type Owner = Pick<OnboardingRef, 'organizationId'> & { priority: LeadPriority };

/** The place of a lead's step, or of its run. Within a level organizations take turns. */
export const leadPriority = ({ organizationId, priority }: Owner) => ({
  priorityKey: LEVELS[priority],
  fairnessKey: firstBytes(organizationId, FAIRNESS_KEY_BYTES),
});

/**
 * The place of a step that ends an onboarding. It takes turns with the enrichments of its own organization as well, so
 * that a lead that was enriched is scored next, and not behind all that are still to be enriched.
 */
export const scorePriority = ({ organizationId, priority }: Owner) => ({
  priorityKey: LEVELS[priority],
  fairnessKey: SCORE + firstBytes(organizationId, FAIRNESS_KEY_BYTES - SCORE.length),
});

/** The places of a lead's steps when it is one of many that an operator retries: after all other leads. */
export const bulkPriority = ({ organizationId }: Owner) => lastPriority(organizationId);
export const bulkScorePriority = ({ organizationId }: Owner) => lastPriority(SCORE + organizationId);

/** The place of work that no lead waits for. */
export const lastPriority = (fairnessKey: string) => ({
  priorityKey: LAST,
  fairnessKey: firstBytes(fairnessKey, FAIRNESS_KEY_BYTES),
});

/** Workflows have it too: the SDK puts it there, and types of Node.js are not for them. */
declare const TextEncoder: new () => { encodeInto(text: string, bytes: Uint8Array): { read: number } };

/** What of a text goes into so many bytes of UTF-8, in whole characters. */
function firstBytes(text: string, limit: number): string {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(limit));
  return text.slice(0, read);
}
