import type { Pool } from 'pg';
import type { Share } from '../db/fair-share.ts';
import type { FastStart } from '../outbox/fast-start.ts';
import { withSlot } from '../outbox/with-slot.ts';
import type { Logger } from '../telemetry/logger.ts';
import { type IntakeRequest, intakeLead, type IntakeResult, type IntakeSettings } from './intake.ts';

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
    if (result.outcome === 'created' || result.outcome === 'duplicate') {
      const { organizationId, caller } = request;
      const { lead, eventId } = result;
      const line = { leadId: lead.id, organizationId, requestId: caller.requestId, eventId };
      log.info(line, result.outcome === 'created' ? 'lead created' : 'lead touched');
    }
    return result;
  };
}
