import type { EnrichmentInput, EnrichmentView } from './enrichment-contract.ts';
import { isClosed, settle } from './outcomes.ts';
import { enrichmentSteps } from './steps.ts';

/** Enriches a lead again and scores it by what is known then. It is apart from the onboarding, which is over. */
export async function leadEnrichment(input: EnrichmentInput): Promise<EnrichmentView> {
  const { leadId, organizationId, run, fresh, requestId } = input;
  const ref = { leadId, organizationId, run, fresh, requestId };
  const { enrichAgain, scoreAfterEnrichment } = enrichmentSteps(input);
  try {
    const { outcome } = await settle(enrichAgain(ref), 'partial');
    return { enrichment: outcome, ...(await scoreAfterEnrichment(ref)) };
  } catch (err) {
    if (isClosed(err)) return { enrichment: 'skipped', score: null, band: null };
    throw err;
  }
}
