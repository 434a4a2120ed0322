import { uuidv7 } from 'uuidv7';
import type { Caller } from '../audit/caller.ts';
import type { Prisma } from '../db/generated/client.ts';
import { LeadNotFound } from '../leads/errors.ts';
import { lockLead } from '../leads/lock-lead.ts';
import { noteActivity } from '../leads/note-activity.ts';
import { keepObservations, putEnrichment, storedEnrichment } from './keep-enrichment.ts';
import type { FieldChange } from './field-change.ts';
import { type OpenField, toFieldValue } from './field-kinds.ts';
import type { EnrichedField, EnrichmentFields } from './provider.ts';
import { HUMAN } from './stored.ts';

/**
 * Writes what a human knows of a lead: no provider takes its place. The values that it displaces are kept as conflicts.
 * @throws LeadNotFound
 */
export async function enterFields(
  tx: Prisma.TransactionClient,
  leadId: string,
  change: FieldChange,
  caller: Caller,
): Promise<void> {
  const lead = await lockLead(tx, leadId);
  if (!lead) throw new LeadNotFound(leadId);
  const stored = storedEnrichment(lead) ?? { fields: {}, providers: [] };
  const before = stored.fields as Partial<Record<OpenField, EnrichedField<unknown>>>;
  const entered = Object.entries(change) as [OpenField, unknown][];
  const changed = entered.filter(([field, value]) => value !== null || before[field]?.source === HUMAN);
  if (changed.length === 0) return;

  const fetchedAt = new Date().toISOString();
  const kept = Object.entries(before).filter(([name]) => !changed.some(([field]) => field === name));
  const written = changed.flatMap(([field, value]) => {
    const entry = { value: toFieldValue(field, value), source: HUMAN, method: 'entered', fetchedAt, confidence: 1 };
    return value === null ? [] : [[field, entry] as const];
  });
  const fields = Object.fromEntries([...kept, ...written]) as typeof before;
  const displaced = changed.flatMap(([field]) => {
    const old = before[field];
    return old && old.source !== HUMAN ? [{ field, ...old }] : [];
  });
  const enrichment = { ...stored, fields: fields as EnrichmentFields };
  await putEnrichment(tx, lead, enrichment);
  await noteActivity(tx, lead.id);
  await keepObservations(tx, lead, displaced);
  const changes = changed.map(([field]) => [
    `enrichment.${field}`,
    { from: before[field]?.value ?? null, to: fields[field]?.value ?? null },
  ]);
  await tx.leadEvent.create({
    data: {
      id: uuidv7(),
      leadId: lead.id,
      organizationId: lead.organizationId,
      type: 'lead.updated',
      data: { changes: Object.fromEntries(changes) as Prisma.InputJsonObject },
      metadata: { ...caller },
    },
  });
}
