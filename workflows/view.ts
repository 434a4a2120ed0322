import { defineQuery, setCurrentDetails, setHandler, upsertSearchAttributes } from '@temporalio/workflow';
import { ONBOARDING_QUERY, type OnboardingInput, type OnboardingView } from './contract.ts';

const onboardingQuery = defineQuery<OnboardingView>(ONBOARDING_QUERY);

/**
 * Keeps what the outside sees of a run: the answer of the query, the details in the Web UI, the search attributes.
 * @returns a function that takes what changed.
 */
export function trackView(input: OnboardingInput) {
  const view: OnboardingView = {
    state: 'RUNNING',
    notification: 'pending',
    enrichment: 'waiting',
    score: null,
    band: null,
  };
  setHandler(onboardingQuery, () => view, { description: 'Where the onboarding stands' });

  const update = (change: Partial<OnboardingView>): OnboardingView => {
    Object.assign(view, change);
    setCurrentDetails(describe(view));
    if (input.searchAttributes && (change.state || change.band)) {
      upsertSearchAttributes([
        { key: { name: 'OnboardingState', type: 'KEYWORD' }, value: view.state },
        ...(view.band ? [{ key: { name: 'ScoreBand', type: 'KEYWORD' } as const, value: view.band }] : []),
      ]);
    }
    return view;
  };
  update({});
  return update;
}

function describe(view: OnboardingView): string {
  const score = view.score === null ? 'not yet' : `${view.score} (${view.band})`;
  return [
    `- **State:** ${view.state}`,
    `- **Notification:** ${view.notification}`,
    `- **Enrichment:** ${view.enrichment}`,
    `- **Score:** ${score}`,
  ].join('\n');
}
