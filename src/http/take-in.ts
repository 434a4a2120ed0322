import { type IntakeRequest, intakeLead, type IntakeResult } from '../leads/intake.ts';
import { CLAIM_MS } from '../outbox/fast-start.ts';
import type { AppDependencies } from './context.ts';

/** Takes leads in, and starts the onboarding of the new ones without waiting for it. Throws as `intakeLead` does. */
export function leadTaker({ pool, fastStart, intake, log }: AppDependencies) {
  return async (request: Omit<IntakeRequest, 'orderDelayMs'>): Promise<IntakeResult> => {
    const reserved = fastStart.reserve();
    const result = await intakeLead(pool, intake, { ...request, orderDelayMs: reserved ? CLAIM_MS : 0 }).catch(
      (err: unknown) => {
        if (reserved) fastStart.release();
        throw err;
      },
    );
    if (reserved) {
      if (result.outcome === 'created') fastStart.run(result.order);
      else fastStart.release();
    }
    if (result.outcome === 'created' || result.outcome === 'duplicate') {
      const { id: leadId, organizationId } = result.lead;
      const ids = { leadId, organizationId, requestId: request.caller.requestId };
      log.info(ids, result.outcome === 'created' ? 'lead created' : 'lead touched');
      log.info({ ...ids, eventId: result.eventId }, 'event recorded');
    }
    return result;
  };
}
