import type { Pool } from 'pg';
import type { Share } from '../db/fair-share.ts';
import { databaseFault, isDeadlock } from '../db/faults.ts';
import { inGroups } from '../db/groups.ts';
import type { FastStart } from '../outbox/fast-start.ts';
import { withSlot } from '../outbox/with-slot.ts';
import type { Logger } from '../telemetry/logger.ts';
import { type BatchRequest, intakeLeads } from './intake-batch.ts';
import { intakeLead, type IntakeResult, intakeTogether } from './intake.ts';
import type { IntakeRequest, IntakeSettings } from './intake-request.ts';

export interface LeadTakerDependencies {
  pool: Pool;
  share: Share;
  fastStart: FastStart;
  intake: IntakeSettings;
  log: Logger;
}

/** An organization's statements that take leads in, at once; how many leads one of them takes; milliseconds to wait for it. */
const GROUPS = { atOnce: 2, most: 32, waitMs: 1_500 };

/**
 * Takes leads in, and starts the onboarding of the new ones without waiting for it. What an organization sends while its
 * earlier ones are being stored is stored together. Throws as `intakeLead` and `Share` do.
 */
export function leadTaker({ pool, share, fastStart, intake, log }: LeadTakerDependencies) {
  const take = inGroups<IntakeRequest, IntakeResult>(GROUPS, async (organizationId, requests) => {
    try {
      const results = await share(organizationId, () => intakeTogether(pool, intake, organizationId, requests));
      return results.map((value) => ({ status: 'fulfilled', value }));
    } catch (err) {
      if (requests.length === 1 || !isOfOne(err)) throw err;
      // Nothing was stored. One of them is in the way: it alone is to hear of that.
      return Promise.allSettled(
        requests.map((request) => share(organizationId, () => intakeLead(pool, intake, request))),
      );
    }
  });

  return async (request: Omit<IntakeRequest, 'orderDelayMs'>): Promise<IntakeResult> => {
    const result = await withSlot(fastStart, async (orderDelayMs) => {
      const answer = await take(request.organizationId, { ...request, orderDelayMs });
      return { order: answer.outcome === 'created' ? answer.order : undefined, answer };
    });
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

/** Says whether an error may be due to one of several leads: a lock that another holds, or what no check lets pass. */
const isOfOne = (err: unknown) => isDeadlock(err) || ['locked', undefined].includes(databaseFault(err));

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
