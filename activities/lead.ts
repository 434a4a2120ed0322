import { closeOnboarding } from '../src/onboarding/close.ts';
import { enrichAgainStep, recordRescore } from '../src/onboarding/enrich-again-step.ts';
import { onboardingEnrichment } from '../src/onboarding/enrichment-step.ts';
import { recordScore } from '../src/onboarding/score-step.ts';
import type { LeadActivities } from '../workflows/contract.ts';
import { createEnrich, type EnrichDependencies } from './enrich.ts';

export type LeadActivityDependencies = EnrichDependencies;

/** The activities of the task queue `lead`. */
export function createLeadActivities(deps: LeadActivityDependencies): LeadActivities {
  const { prisma } = deps;
  return {
    enrichLead: createEnrich(deps, onboardingEnrichment),

    scoreLead: (input) => prisma.$transaction((tx) => recordScore(tx, input)),

    closeOnboarding: (input) => prisma.$transaction((tx) => closeOnboarding(tx, input)),

    enrichAgain: createEnrich(deps, enrichAgainStep),

    rescoreAfterEnrichment: (input) => prisma.$transaction((tx) => recordRescore(tx, input)),
  };
}
