import { condition, continueAsNew, defineSignal, setHandler, setWorkflowOptions } from '@temporalio/workflow';
import { BULK_RETRY_WAKE, type BulkRetryInput } from './retry-contract.ts';
import { bulkRetrySteps } from './steps.ts';
import { goesOnWithNewest } from './versioning.ts';

/** Keeps a history to some hundred events, whatever the number of leads. */
const PAGES_PER_RUN = 50;

const wake = defineSignal(BULK_RETRY_WAKE);

/**
 * Retries the leads that an operator has chosen, so many a second. Which they are, what has become of each, and whether
 * it is to go on, wait or end, is for Postgres to say: this run only drives it, and may be lost and started again.
 */
export async function retryLeads(input: BulkRetryInput): Promise<void> {
  const { retryPage } = bulkRetrySteps(input);
  let wakes = 0;
  setHandler(wake, () => void (wakes += 1), { description: 'Ask again what is wanted' });

  for (let turn = 0; turn < PAGES_PER_RUN; turn += 1) {
    const wakesBefore = wakes;
    const { next, afterMs } = await retryPage(input);
    if (next === 'end') return;
    const isWoken = () => wakes > wakesBefore;
    if (next === 'wait') await condition(isWoken);
    else await condition(isWoken, afterMs);
  }
  return continueAsNew<typeof retryLeads>(input);
}

setWorkflowOptions(goesOnWithNewest, retryLeads);
