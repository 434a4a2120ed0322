import { CancellationScope, condition, isCancellation, TemporalFailure } from '@temporalio/workflow';
import { type Commands, receiveCommands } from './commands.ts';
import type {
  EnrichmentOutcome,
  EnrichResult,
  NotificationOutcome,
  OnboardingInput,
  OnboardingView,
  StepReport,
} from './contract.ts';
import { failureType, isClosed, settle } from './outcomes.ts';
import { trackPriority } from './priority-signal.ts';
import { onboardingSteps } from './steps.ts';
import { trackView } from './view.ts';

/**
 * Onboards one lead: notify its assignee at once, wait, enrich it, score it.
 * The notification runs beside the rest and never delays it; an enrichment that gives up never blocks the score.
 */
export async function leadOnboarding(input: OnboardingInput): Promise<OnboardingView> {
  const { leadId, organizationId, round, requestId } = input;
  const ref = { leadId, organizationId, round, requestId };
  const { notifyAssignee, enrichLead, scoreLead, closeOnboarding } = onboardingSteps(input, trackPriority(input));
  const update = trackView(input);
  const commands = receiveCommands(input.acceptedCommands);
  let notification: StepReport<NotificationOutcome | 'pending'> = { outcome: 'pending' };

  try {
    const notified = settle(notifyAssignee(ref), 'failed').then((report) => {
      notification = report;
      update({ notification: report.outcome });
    });
    notified.catch(() => undefined); // awaited at the end; a cancellation must not be an unhandled rejection before

    await condition(() => commands.size > 0, input.enrichmentDelayMs || 1, {
      summary: `Wait ${input.enrichmentDelayMs / 1_000} s before enriching`,
    });

    update({ enrichment: 'running' });
    const enrichment = await enrichUnlessSkipped(() => enrichLead(ref), commands);
    update({ enrichment: enrichment.outcome });

    const scored = await scoreLead({ ...ref, enrichment, notification });
    update({ score: scored.score, band: scored.band, state: scored.state });
    if (scored.state !== 'RUNNING') return update({});

    await notified;
    return update(await closeOnboarding({ ...ref, verdict: 'settled', notification }));
  } catch (err) {
    if (!(err instanceof TemporalFailure)) throw err; // a fault in this code: the task is retried once it is mended
    if (isClosed(err)) return update({ state: 'CANCELED' });
    const verdict = isCancellation(err) ? 'canceled' : 'failed';
    await CancellationScope.nonCancellable(async () =>
      update(await closeOnboarding({ ...ref, verdict, notification, reason: failureType(err) })),
    );
    throw err;
  }
}

/** Runs the enrichment in a scope of its own, so that `skipEnrichment` can end it at any moment. */
async function enrichUnlessSkipped(
  enrich: () => Promise<EnrichResult>,
  commands: Commands,
): Promise<StepReport<EnrichmentOutcome>> {
  const skipped: StepReport<EnrichmentOutcome> = { outcome: 'skipped', reason: 'skipEnrichment' };
  if (commands.has('skipEnrichment')) return skipped;

  const scope = new CancellationScope();
  const outcome = scope.run(() => settle(enrich(), 'partial'));
  const skip = condition(() => commands.has('skipEnrichment')).then(() => scope.cancel());
  skip.catch(() => undefined); // the run was canceled: `outcome` says so
  try {
    return await outcome;
  } catch (err) {
    const wasSkipped = isCancellation(err) && !CancellationScope.current().consideredCancelled;
    if (wasSkipped) return skipped;
    throw err;
  }
}
