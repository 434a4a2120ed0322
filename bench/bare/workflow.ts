import { proxyActivities, sleep } from '@temporalio/workflow';
import type { BareInput } from './contract.ts';

interface Steps {
  notify(leadId: string): Promise<void>;
  enrich(leadId: string): Promise<void>;
  score(leadId: string): Promise<void>;
}

const { notify } = proxyActivities<Steps>({ taskQueue: 'bare-notification', startToCloseTimeout: '10 seconds' });
const { enrich, score } = proxyActivities<Steps>({ taskQueue: 'bare-lead', startToCloseTimeout: '10 seconds' });

/** The steps of an onboarding, with nothing in them. */
export async function bareOnboarding({ leadId, delayMs }: BareInput): Promise<void> {
  const notified = notify(leadId);
  await sleep(delayMs);
  await enrich(leadId);
  await score(leadId);
  await notified;
}
