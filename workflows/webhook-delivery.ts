import { setWorkflowOptions } from '@temporalio/workflow';
import { webhookSteps } from './steps.ts';
import { goesOnWithNewest } from './versioning.ts';
import type { WebhookRef } from './webhook-contract.ts';

/**
 * Delivers to a webhook endpoint what there is. How far it has come, what it did not take and when it is asked again is
 * for Postgres to say, and relays start a run when there is something: this one ends, and may be lost.
 */
export async function webhookDelivery(input: WebhookRef): Promise<void> {
  await webhookSteps(input).deliverEvents(input);
}

setWorkflowOptions(goesOnWithNewest, webhookDelivery);
