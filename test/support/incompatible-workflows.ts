import { condition } from '@temporalio/workflow';
import { receiveCommands } from '../../workflows/commands.ts';
import type { OnboardingInput } from '../../workflows/contract.ts';
import { onboardingSteps } from '../../workflows/steps.ts';

export { rescoreLeads } from '../../workflows/index.ts';

/** Onboards as ours does, but waits before it notifies: neither can go on with a run that the other has begun. */
export async function leadOnboarding(input: OnboardingInput): Promise<{ state: string; by: string }> {
  const { leadId, organizationId, round, requestId } = input;
  const ref = { leadId, organizationId, round, requestId };
  const { notifyAssignee, enrichLead, scoreLead } = onboardingSteps(input, () => input.priority);
  const commands = receiveCommands(input.acceptedCommands);
  await condition(() => commands.size > 0, input.enrichmentDelayMs);
  const notification = await notifyAssignee(ref);
  const { state } = await scoreLead({ ...ref, enrichment: await enrichLead(ref), notification });
  return { state, by: 'incompatible' };
}
