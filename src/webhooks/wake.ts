import type { Client } from '@temporalio/client';
import pLimit from 'p-limit';
import type { Pool } from 'pg';
import { TASK_QUEUES } from '../../workflows/contract.ts';
import type { webhookDelivery } from '../../workflows/index.ts';
import { WEBHOOK_DELIVERY, webhookWorkflowId } from '../../workflows/webhook-contract.ts';
import { withDeadline } from '../temporal/connection.ts';
import { HAS_NEWS } from './news.ts';

/** Endpoints at once; the others are woken by the next looks. */
const WOKEN = 100;
/** Calls to Temporal under way. */
const STARTS_AT_ONCE = 10;
/** For the run to begin: until then the endpoint is not woken again. */
const BEGINS_WITHIN_S = 10;

/**
 * Starts a run for each endpoint that there is something for and nobody is at. Any number of relays may: each takes
 * others, and a run that there is already counts as started.
 * @returns how many were woken
 * @throws the client's error while Temporal takes nothing; the endpoints are free again after some seconds
 */
export async function wakeEndpoints({ pool, client }: { pool: Pool; readonly client: Client }): Promise<number> {
  const { rows } = await pool.query<{ id: string }>({
    name: 'webhooks_to_wake',
    text: `UPDATE webhook_endpoint SET leased_until = clock_timestamp() + interval '${BEGINS_WITHIN_S} seconds'
           WHERE id IN (
             SELECT w.id FROM webhook_endpoint w, pg_snapshot_xmin(pg_current_snapshot()) AS settled
             WHERE w.paused IS NULL AND w.next_at <= clock_timestamp() AND w.leased_until <= clock_timestamp()
               AND ${HAS_NEWS}
             ORDER BY w.leased_until LIMIT ${WOKEN} FOR UPDATE OF w SKIP LOCKED)
           RETURNING id`,
  });
  await pLimit(STARTS_AT_ONCE).map(rows, ({ id }) => startDelivery(client, id));
  return rows.length;
}

/** Starts the run of an endpoint, unless there is one. */
async function startDelivery(client: Client, endpointId: string): Promise<void> {
  await withDeadline(client, () =>
    client.workflow.start<typeof webhookDelivery>(WEBHOOK_DELIVERY, {
      taskQueue: TASK_QUEUES.onboarding,
      workflowId: webhookWorkflowId(endpointId),
      args: [{ endpointId }],
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      workflowIdConflictPolicy: 'USE_EXISTING',
      staticSummary: `Deliver to webhook endpoint ${endpointId}`,
    }),
  );
}
