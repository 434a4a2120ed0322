import { closeOnboarding } from '../src/onboarding/close.ts';
import { recordScore } from '../src/onboarding/score-step.ts';
import type { LeadActivities } from '../workflows/contract.ts';
import { createEnrichLead, type EnrichLeadDependencies } from './enrich-lead.ts';

export type LeadActivityDependencies = EnrichLeadDependencies;

/** The activities of the task queue `lead`. */
export function createLeadActivities(deps: LeadActivityDependencies): LeadActivities {
  const { prisma } = deps;
  return {
    enrichLead: createEnrichLead(deps),

    scoreLead: (input) => prisma.$transaction((tx) => recordScore(tx, input)),

    closeOnboarding: (input) => prisma.$transaction((tx) => closeOnboarding(tx, input)),
  };
}
