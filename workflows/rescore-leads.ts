import {
  condition,
  continueAsNew,
  defineSignal,
  setCurrentDetails,
  setHandler,
  setWorkflowOptions,
} from '@temporalio/workflow';
import { RESCORE_WAKE, type RescoreInput } from './rescore-contract.ts';
import { rescoreSteps } from './steps.ts';
import { goesOnWithNewest } from './versioning.ts';

/** Keeps a history to some hundred events, whatever the number of leads. */
const PAGES_PER_RUN = 50;

const wake = defineSignal(RESCORE_WAKE);

/**
 * Scores all leads of an organization by a new version of its rules, page by page. How far it has come, and whether it
 * is to go on, wait or end, is for Postgres to say: this run only drives it, and may be lost and started again.
 */
export async function rescoreLeads(input: RescoreInput): Promise<{ pages: number }> {
  const { rescoreId, organizationId, requestId } = input;
  const { rescorePage } = rescoreSteps(input);
  let { pages } = input;
  let wakes = 0;
  setHandler(wake, () => void (wakes += 1), { description: 'Ask again what is wanted' });

  for (let turn = 0; turn < PAGES_PER_RUN; turn += 1) {
    const wakesBefore = wakes;
    const done = await rescorePage({ rescoreId, organizationId, requestId, pages });
    pages = done.pages;
    setCurrentDetails(`${pages} pages are done${done.next === 'wait' ? '; it is paused' : ''}`);
    if (done.next === 'end') return { pages };
    if (done.next === 'wait') await condition(() => wakes > wakesBefore);
  }
  return continueAsNew<typeof rescoreLeads>({ ...input, pages });
}

setWorkflowOptions(goesOnWithNewest, rescoreLeads);
