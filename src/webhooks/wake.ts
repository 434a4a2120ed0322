import type { Client } from '@temporalio/client';
import pLimit from 'p-limit';
import type { Pool } from 'pg';
import { TASK_QUEUES } from '../../workflows/contract.ts';
import type { webhookDelivery } from '../../workflows/index.ts';
import { WEBHOOK_DELIVERY, webhookWorkflowId } from '../../workflows/webhook-contract.ts';
import type { Lease } from '../db/lease.ts';
import { withDeadline } from '../temporal/connection.ts';
import { HAS_NEWS } from './news.ts';

/** Endpoints at once; the others are woken by the next looks. */
const WOKEN = 100;
/** Calls to Temporal under way. */
const STARTS_AT_ONCE = 10;
/** For the run to begin: until then the endpoint is not woken again. */
const BEGINS_WITHIN_S = 10;

export interface WakeDependencies {
  pool: Pool;
  readonly client: Client;
  /** Of the relays, the one that has it wakes for all. */
  lease: Lease;
}

/**
 * Starts a run for each endpoint that there is something for and nobody is at.
 * @returns how many were woken; 0 while another relay leads
 * @throws the client's error while Temporal takes nothing
 */
export async function wakeEndpoints({ pool, client, lease }: WakeDependencies): Promise<number> {
  if (!(await lease.take())) return 0;
  const { rows } = await pool.query<{ id: string }>({
    name: 'webhooks_to_wake',
    text: `SELECT w.id FROM webhook_endpoint w, pg_snapshot_xmin(pg_current_snapshot()) AS settled
           WHERE w.paused IS NULL AND w.next_at <= clock_timestamp() AND w.leased_until <= clock_timestamp()
             AND ${HAS_NEWS}
           ORDER BY w.leased_until LIMIT ${WOKEN}`,
  });
  const woken = await pLimit(STARTS_AT_ONCE).map(rows, async ({ id }) => {
    await startDelivery(client, id);
    await pool.query(
      `UPDATE webhook_endpoint SET leased_until = clock_timestamp() + interval '${BEGINS_WITHIN_S} seconds'
       WHERE id = $1 AND leased_until <= clock_timestamp()`,
      [id],
    );
  });
  return woken.length;
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
