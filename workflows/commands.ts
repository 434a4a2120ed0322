import { CancellationScope, defineSignal, setHandler } from '@temporalio/workflow';
import { ONBOARDING_SIGNALS } from './contract.ts';

const enrichNow = defineSignal(ONBOARDING_SIGNALS.enrichNow);
const skipEnrichment = defineSignal(ONBOARDING_SIGNALS.skipEnrichment);
const cancel = defineSignal(ONBOARDING_SIGNALS.cancel);

/** What the signals of a run have asked for so far. */
export type Commands = ReadonlySet<'enrichNow' | 'skipEnrichment'>;

/** Takes the signals of a run. `cancel` cancels the scope that this is called in. */
export function receiveCommands(): Commands {
  const commands = new Set<'enrichNow' | 'skipEnrichment'>();
  const run = CancellationScope.current();
  setHandler(enrichNow, () => void commands.add('enrichNow'), { description: 'Enrich without waiting any longer' });
  setHandler(skipEnrichment, () => void commands.add('skipEnrichment'), { description: 'Score without enrichment' });
  setHandler(cancel, () => run.cancel(), { description: 'End the onboarding' });
  return commands;
}
