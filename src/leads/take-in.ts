import type { Pool } from 'pg';
import type { Share } from '../db/fair-share.ts';
import type { FastStart } from '../outbox/fast-start.ts';
import { withSlot } from '../outbox/with-slot.ts';
import type { Logger } from '../telemetry/logger.ts';
import { type BatchRequest, intakeLeads } from './intake-batch.ts';
import { intakeLead, type IntakeResult } from './intake.ts';
import type { IntakeRequest, IntakeSettings } from './intake-request.ts';

export interface LeadTakerDependencies {
  pool: Pool;
  share: Share;
  fastStart: FastStart;
  intake: IntakeSettings;
  log: Logger;
}

/** Takes leads in, and starts the onboarding of the new ones without waiting for it. Throws as `intakeLead` and `Share` do. */
export function leadTaker({ pool, share, fastStart, intake, log }: LeadTakerDependencies) {
  return async (request: Omit<IntakeRequest, 'orderDelayMs'>): Promise<IntakeResult> => {
    const result = await share(request.organizationId, () =>
      withSlot(fastStart, async (orderDelayMs) => {
        const answer = await intakeLead(pool, intake, { ...request, orderDelayMs });
        return { order: answer.outcome === 'created' ? answer.order : undefined, answer };
      }),
    );
    if (result.outcome === 'duplicate' && request.onDuplicate === 'update') fastStart.leaveToRelays(); // what it has changed
    if (result.outcome === 'created' || result.outcome === 'duplicate') {
      const { organizationId, caller } = request;
      const { lead, eventId } = result;
      const line = { leadId: lead.id, organizationId, requestId: caller.requestId, eventId };
      log.info(line, result.outcome === 'created' ? 'lead created' : 'lead touched');
    }
    return result;
  };
}

/** The same for batches. Relays start the onboardings: a batch does not take the slots of others. Throws as `intakeLeads` and `Share` do. */
export function batchTaker({ pool, share, fastStart, intake, log }: LeadTakerDependencies) {
  return async (request: BatchRequest): ReturnType<typeof intakeLeads> => {
    const { organizationId, caller } = request;
    const result = await share(organizationId, () => intakeLeads(pool, intake, request));
    if (result === 'key_reused' || result.replayed) return result;
    fastStart.leaveToRelays();
    for (const taken of result.outcomes) {
      if (taken.outcome === 'gone') continue;
      const ids = { leadId: taken.lead.id, organizationId, requestId: caller.requestId };
      log.info(ids, taken.outcome === 'created' ? 'lead created' : 'lead touched');
    }
    return result;
  };
}
