import { type IntakeRequest, intakeLead, type IntakeResult } from '../leads/intake.ts';
import type { AppDependencies } from './context.ts';

/** Takes leads in, and starts the onboarding of the new ones without waiting for it. Throws as `intakeLead` does. */
export function leadTaker({ pool, fastStart, intake, log }: AppDependencies) {
  return async (request: Omit<IntakeRequest, 'orderDelayMs'>): Promise<IntakeResult> => {
    const slot = fastStart.takeSlot();
    const result = await intakeLead(pool, intake, { ...request, orderDelayMs: slot.orderDelayMs }).catch(
      (err: unknown) => {
        slot.release();
        throw err;
      },
    );
    if (result.outcome === 'created') slot.run(result.order);
    else slot.release();
    if (result.outcome === 'created' || result.outcome === 'duplicate') {
      const { organizationId, caller } = request;
      const ids = { leadId: result.lead.id, organizationId, requestId: caller.requestId };
      log.info(ids, result.outcome === 'created' ? 'lead created' : 'lead touched');
      log.info({ ...ids, eventId: result.eventId }, 'event recorded');
    }
    return result;
  };
}
