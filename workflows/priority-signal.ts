import { defineSignal, setHandler } from '@temporalio/workflow';
import { type LeadPriority, type OnboardingInput, PRIORITY_SIGNAL, type PriorityChange } from './contract.ts';

const changePriority = defineSignal<[PriorityChange]>(PRIORITY_SIGNAL);

/**
 * Keeps the priority of a lead: that of the input, until a caller changes it. Of two changes that arrive in the wrong
 * order the later one counts.
 * @returns a function that tells the priority of now
 */
export function trackPriority({ priority }: OnboardingInput): () => LeadPriority {
  let latest: PriorityChange = { priority, version: 0 };
  const take = (change: PriorityChange) => {
    if (change.version > latest.version) latest = change;
  };
  setHandler(changePriority, take, { description: 'Order the steps to come by another priority' });
  return () => latest.priority;
}
