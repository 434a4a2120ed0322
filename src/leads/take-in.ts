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

/** What a caller asks for: it does not know who will start the onboarding. */
type Asked = Omit<IntakeRequest, 'orderDelayMs'>;

/** An organization's statements that take leads in, at once; how many leads one of them takes; milliseconds to wait for it. */
const GROUPS = { atOnce: 2, most: 32, waitMs: 1_500 };

/**
 * Takes leads in, and starts the onboarding of the new ones without waiting for it. What an organization sends while its
 * earlier ones are being stored is stored together, and left to the relays: a crowd does not take the slots of others,
 * nor the processor of those who wait for an answer. Throws as `intakeLead` and `Share` do.
 */
export function leadTaker({ pool, share, fastStart, intake, log }: LeadTakerDependencies) {
  const alone = (organizationId: string, asked: Asked) =>
    share(organizationId, () =>
      withSlot(fastStart, async (orderDelayMs) => {
        const answer = await intakeLead(pool, intake, { ...asked, orderDelayMs });
        return { order: answer.outcome === 'created' ? answer.order : undefined, answer };
      }),
    );

  const together = (organizationId: string, asked: readonly Asked[]) =>
    share(organizationId, async () => {
      const requests = asked.map((request) => ({ ...request, orderDelayMs: 0 }));
      const answers = await intakeTogether(pool, intake, organizationId, requests);
      fastStart.leaveToRelays();
      return answers;
    });

  const take = inGroups<Asked, IntakeResult>(GROUPS, async (organizationId, asked) => {
    const eachAlone = () => Promise.allSettled(asked.map((one) => alone(organizationId, one)));
    if (asked.length === 1) return eachAlone();
    try {
      const answers = await together(organizationId, asked);
      return answers.map((value) => ({ status: 'fulfilled', value }));
    } catch (err) {
      // Nothing was stored. One of them is in the way: it alone is to hear of that.
      if (isOfOne(err)) return eachAlone();
      throw err;
    }
  });

  return async (request: Asked): Promise<IntakeResult> => {
    const result = await take(request.organizationId, request);
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
    const store = () => intakeLeads(pool, intake, request);
    const result = await share(organizationId, () =>
      store().catch((err: unknown) => {
        if (isDeadlock(err)) return store(); // with a page of a rescore, which goes by other places
        throw err;
      }),
    );
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
