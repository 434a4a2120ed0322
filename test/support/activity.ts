import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import type { OnboardingRef } from '../../workflows/contract.ts';
import type { StartOrder } from '../../src/outbox/order.ts';

const quiet = new DefaultLogger('ERROR', () => undefined);

/** Runs an activity as a worker would, at the given attempt. */
export function runActivity<Input, Result>(
  activity: (input: Input) => Promise<Result>,
  input: Input,
  attempt = 1,
): Promise<Result> {
  return new MockActivityEnvironment({ attempt }, { logger: quiet }).run(activity, input);
}

/** Runs it twice, as after a completion that Temporal never got. @returns both answers. */
export async function runTwice<Input, Result>(activity: (input: Input) => Promise<Result>, input: Input) {
  return [await runActivity(activity, input, 1), await runActivity(activity, input, 2)] as const;
}

/** What the workflow passes to the steps of a lead that was just taken in. */
export const refOf = ({ leadId, organizationId, payload }: StartOrder): OnboardingRef => ({
  leadId,
  organizationId,
  round: payload.round,
  requestId: payload.requestId,
});
