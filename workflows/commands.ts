import { CancellationScope, defineSignal, setHandler } from '@temporalio/workflow';
import { type EnrichmentCommand, ONBOARDING_SIGNALS } from './contract.ts';

const enrichNow = defineSignal(ONBOARDING_SIGNALS.enrichNow);
const skipEnrichment = defineSignal(ONBOARDING_SIGNALS.skipEnrichment);
const cancel = defineSignal(ONBOARDING_SIGNALS.cancel);

/** What a run has been asked for so far. */
export type Commands = ReadonlySet<EnrichmentCommand>;

/** Takes the signals of a run, on top of what it starts with. `cancel` cancels the scope that this is called in. */
export function receiveCommands(accepted: EnrichmentCommand[] = []): Commands {
  const commands = new Set(accepted);
  const run = CancellationScope.current();
  setHandler(enrichNow, () => void commands.add('enrichNow'), { description: 'Enrich without waiting any longer' });
  setHandler(skipEnrichment, () => void commands.add('skipEnrichment'), { description: 'Score without enrichment' });
  setHandler(cancel, () => run.cancel(), { description: 'End the onboarding' });
  return commands;
}
