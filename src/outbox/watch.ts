import type { Prisma } from '../db/generated/client.ts';

/** What is watched until it has come to an end, so that a run that Temporal loses is ordered again. */
export const WATCHED = {
  onboarding: 'onboarding',
  /** `assignment` counts the assignees that the lead has had. */
  assignment: (assignment: number) => `assignment-${assignment}`,
  enrichment: (run: string) => `enrichment-${run}`,
} as const;

/** Which of its kind a watched run is: the part behind the kind. */
export const nameOf = (run: string): string => run.slice(run.indexOf('-') + 1);

interface WatchedLead {
  leadId: string;
  organizationId: string;
}

/** Watches a run of a lead, in the transaction that orders it; one that is watched already is watched anew. */
export async function watch(tx: Prisma.TransactionClient, { leadId, organizationId }: WatchedLead, run: string) {
  await tx.$executeRaw`
    INSERT INTO watch (lead_id, run, organization_id) VALUES (${leadId}::uuid, ${run}, ${organizationId})
    ON CONFLICT (lead_id, run) DO UPDATE SET since = EXCLUDED.since, look_after = EXCLUDED.look_after`;
}

/** Watches it no longer, in the transaction that ends it. */
export async function endWatch(tx: Prisma.TransactionClient, leadId: string, run: string): Promise<void> {
  await tx.watch.deleteMany({ where: { leadId, run } });
}
