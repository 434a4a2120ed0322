import type { LeadPriority, OnboardingRef } from './contract.ts';

/** Temporal refuses longer fairness keys. */
const FAIRNESS_KEY_BYTES = 64;

const SHIFT: Record<LeadPriority, number> = { CRITICAL: -2, HIGH: -1, NORMAL: 0, LOW: 1 };

/**
 * Temporal's order within a task queue: 1 goes first, 5 last.
 * The step gives the base, the lead's own priority moves it; organizations share each level fairly.
 */
export function stepPriority(
  base: 1 | 3 | 5,
  lead: Pick<OnboardingRef, 'organizationId'> & { priority: LeadPriority },
) {
  const priorityKey = Math.min(5, Math.max(1, base + SHIFT[lead.priority]));
  return { priorityKey, fairnessKey: firstBytes(lead.organizationId, FAIRNESS_KEY_BYTES) };
}

function firstBytes(text: string, limit: number): string {
  let kept = '';
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (bytes > limit) break;
    kept += character;
  }
  return kept;
}
