import type { Pool } from 'pg';
import type { Position } from '../events/position.ts';
import { IN_TROUBLE } from './back-off.ts';

/** For which nobody else is to deliver to an endpoint, from the last sign of life of the run that does. */
const LEASE_S = 30;

/** An endpoint, as a run that delivers to it found it. */
export interface Turn {
  endpoint: {
    id: string;
    /** Null for the operator's. */
    organizationId: string | null;
    url: string;
    types: string[];
    withPersons: boolean;
    secret: string;
    oldSecret: string | null;
    oldSecretUntil: Date | null;
    failures: number;
    failingSince: Date | null;
  };
  position: Position;
  /** It took nothing of late. */
  inTrouble: boolean;
  /** Whether something that was set aside is due. */
  hasSetAside: boolean;
}

/**
 * Takes an endpoint in hand for a while.
 * @returns undefined when there is nothing to deliver to: it is paused, or gone, or not to be asked yet
 */
export async function takeTurn(pool: Pool, endpointId: string): Promise<Turn | undefined> {
  const { rows } = await pool.query<Turn['endpoint'] & { xid: string; seq: string; hasSetAside: boolean }>({
    name: 'take_webhook_turn',
    text: `UPDATE webhook_endpoint w SET leased_until = clock_timestamp() + interval '${LEASE_S} seconds'
           WHERE id = $1 AND paused IS NULL AND next_at <= clock_timestamp()
           RETURNING id, organization_id AS "organizationId", url, types, with_persons AS "withPersons", secret,
             old_secret AS "oldSecret", old_secret_until AS "oldSecretUntil", failures,
             failing_since AS "failingSince", xid::text, seq::text,
             EXISTS (SELECT FROM webhook_delivery d WHERE d.endpoint_id = w.id AND d.failed_at IS NULL
                     AND d.next_at <= clock_timestamp()) AS "hasSetAside"`,
    values: [endpointId],
  });
  const [row] = rows;
  if (!row) return undefined;
  const { xid, seq, hasSetAside, ...endpoint } = row;
  const position = { xid: BigInt(xid), seq: BigInt(seq) };
  return { endpoint, position, inTrouble: endpoint.failures >= IN_TROUBLE, hasSetAside };
}

/** Leaves an endpoint to whoever is next. */
export async function endTurn(pool: Pool, endpointId: string): Promise<void> {
  await pool.query('UPDATE webhook_endpoint SET leased_until = clock_timestamp() WHERE id = $1', [endpointId]);
}
