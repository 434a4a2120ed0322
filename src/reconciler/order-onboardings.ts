import { uuidv7 } from 'uuidv7';
import type { Prisma } from '../db/generated/client.ts';
import { stepKey } from '../onboarding/step-record.ts';

/** An onboarding that has no run any more. */
interface LostRun {
  leadId: string;
  round: number;
  requestId: string;
}

/**
 * Orders rounds of onboardings again, with the commands that their runs were given and with what is left of the delay:
 * since the round began, or since the lead's creation when it never got so far. Leads are locked first and read by a
 * later statement; one that somebody else holds, or that needs something else than an order, is left out.
 * @returns the ids of those that were ordered
 */
export async function orderOnboardings(
  tx: Prisma.TransactionClient,
  runs: readonly LostRun[],
  enrichmentDelayMs: number,
): Promise<Set<string>> {
  const leadIds = runs.map(({ leadId }) => leadId);
  const held = await tx.$queryRaw<{ id: string }[]>`
    SELECT id FROM lead WHERE id = ANY (${leadIds}::uuid[]) ORDER BY id FOR UPDATE SKIP LOCKED`;
  const isHeld = new Set(held.map(({ id }) => id));
  const lost = runs.filter(({ leadId }) => isHeld.has(leadId));
  const ordered = await tx.$queryRaw<{ leadId: string }[]>`
    INSERT INTO outbox (id, lead_id, organization_id, kind, payload)
    SELECT lost.order_id, l.id, l.organization_id, 'START_ONBOARDING',
           jsonb_build_object('round', o.round, 'priority', l.priority, 'source', l.source, 'again', true,
                              'requestId', lost.request_id, 'enrichmentDelayMs',
                              greatest(0, least(${enrichmentDelayMs}::bigint, ${enrichmentDelayMs}::bigint - ceil(
                                extract(epoch FROM clock_timestamp() - coalesce(e.at, l.created_at)) * 1000)::bigint)))
           || CASE WHEN o.accepted_commands = '{}' THEN '{}'
                   ELSE jsonb_build_object('commands', o.accepted_commands) END
    FROM unnest(${lost.map(({ leadId }) => leadId)}::uuid[], ${lost.map(({ round }) => round)}::integer[],
                ${lost.map(({ round }) => stepKey(round, 'started'))}::text[],
                ${lost.map(({ requestId }) => requestId)}::text[], ${lost.map(() => uuidv7())}::uuid[])
           AS lost(lead_id, round, began, request_id, order_id)
    JOIN lead l ON l.id = lost.lead_id
    JOIN onboarding o ON o.lead_id = l.id AND o.round = lost.round
    LEFT JOIN lead_event e ON e.lead_id = l.id AND e.step_key = lost.began
    WHERE o.state IN ('PENDING', 'RUNNING') AND NOT o.accepted_commands @> '{cancel}'
      AND NOT EXISTS (SELECT FROM outbox waiting WHERE waiting.lead_id = l.id AND waiting.kind = 'START_ONBOARDING')
    RETURNING lead_id AS "leadId"`;
  return new Set(ordered.map(({ leadId }) => leadId));
}
