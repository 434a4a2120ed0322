import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import pLimit from 'p-limit';
import type { Pool } from 'pg';
import { z } from 'zod';
import { LEAD_ONBOARDING, onboardingWorkflowId } from '../../workflows/contract.ts';
import { CursorError } from '../db/paging.ts';
import { knownAmong } from '../reconciler/latest-run.ts';
import { workflowIdOf } from '../reconciler/watches.ts';
import { withDeadline } from '../temporal/connection.ts';

/** Runs that one look compares: it ends within a request's time. */
const PAGE = 500;
/** Questions to Temporal under way at once, about single runs. */
const QUESTIONS = 50;
const WITHIN_MS = 2_500;
/** A run that was ordered just now may not be there yet. */
const PATIENCE_S = 30;

/** A run of a lead that Postgres and Temporal do not agree about. */
export interface Difference {
  leadId: string;
  /** Null for a lead that Postgres does not know. */
  organizationId: string | null;
  /** `onboarding`, `assignment-<number>` or `enrichment-<run>` */
  run: string;
  /** The state of the onboarding, or `MISSING`. */
  postgres: string;
  /** The status of the run, or `MISSING`. */
  temporal: string;
}

export interface Look {
  checked: number;
  differences: Difference[];
  /** Where the next look goes on; null when all was looked at. */
  nextCursor: string | null;
}

interface Dependencies {
  pool: Pool;
  client: Client;
}

/**
 * Compares a page of runs: first each that Postgres waits for with what Temporal has of it, then each onboarding that
 * runs in Temporal with what Postgres knows of its lead. Changes nothing.
 * @throws CursorError, the client's error when Temporal does not say
 */
export function compareRuns(deps: Dependencies, cursor: string | undefined): Promise<Look> {
  const place = cursor === undefined ? FIRST : readCursor(cursor);
  return 'lead' in place ? compareWatched(deps, place) : compareRunning(deps, place);
}

const placeSchema = z.union([
  z.strictObject({ lead: z.uuid(), run: z.string() }),
  z.strictObject({ token: z.string() }),
]);
type Place = z.infer<typeof placeSchema>;
const FIRST = { lead: '00000000-0000-0000-0000-000000000000', run: '' };

const toCursor = (place: Place) => Buffer.from(JSON.stringify(place)).toString('base64url');

function readCursor(cursor: string): Place {
  try {
    return placeSchema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
  } catch {
    throw new CursorError('not a cursor of this list');
  }
}

interface Watched {
  leadId: string;
  organizationId: string;
  run: string;
  state: string;
}

/** What has an order in the outbox is the relays' already. */
async function compareWatched({ pool, client }: Dependencies, after: { lead: string; run: string }): Promise<Look> {
  const { rows } = await pool.query<Watched>({
    name: 'ops_watched',
    text: `SELECT w.lead_id AS "leadId", w.organization_id AS "organizationId", w.run, o.state
           FROM watch w JOIN onboarding o USING (lead_id)
           WHERE (w.lead_id, w.run) > ($1, $2) AND w.since < now() - ${PATIENCE_S} * interval '1 second'
             AND NOT EXISTS (SELECT FROM outbox WHERE outbox.lead_id = w.lead_id AND status = 'PENDING')
           ORDER BY w.lead_id, w.run LIMIT ${PAGE}`,
    values: [after.lead, after.run],
  });
  const differences = await withDeadline(
    client,
    async () => {
      const known = await knownAmong(client, rows.map(workflowIdOf));
      const unknown = rows.filter((row) => known.get(workflowIdOf(row)) !== true);
      const statuses = await statusesOf(client, unknown.map(workflowIdOf));
      return unknown.flatMap(({ state, ...row }, index) => {
        const temporal = statuses[index] ?? 'MISSING';
        return temporal === 'RUNNING' ? [] : [{ ...row, postgres: state, temporal }];
      });
    },
    WITHIN_MS,
  );
  const last = rows.at(-1);
  const next: Place = rows.length === PAGE && last ? { lead: last.leadId, run: last.run } : { token: '' };
  return { checked: rows.length, differences, nextCursor: toCursor(next) };
}

const ID_PREFIX = onboardingWorkflowId('');

interface Running {
  leadId: string;
  /** Null when Postgres does not know the lead. */
  organizationId: string | null;
  state: string | null;
  /** Postgres was done with it just now, or there is an order about it: its run may be about to end. */
  mayEnd: boolean;
}

/** A run that just ends is still listed: each that Postgres has been done with for a while is asked for. */
async function compareRunning({ pool, client }: Dependencies, { token }: { token: string }): Promise<Look> {
  return withDeadline(
    client,
    async () => {
      const { executions, nextPageToken } = await client.workflowService.listWorkflowExecutions({
        namespace: client.options.namespace,
        query: `WorkflowType = '${LEAD_ONBOARDING}' AND ExecutionStatus = 'Running'`,
        pageSize: PAGE,
        nextPageToken: Buffer.from(token, 'base64'),
      });
      const leadIds = executions.map(({ execution }) => (execution?.workflowId ?? '').slice(ID_PREFIX.length));
      const { rows } = await pool.query<Running>({
        name: 'ops_states',
        text: `SELECT id AS "leadId", organization_id AS "organizationId", state,
                 coalesce(changed_at > now() - ${PATIENCE_S} * interval '1 second', false)
                   OR EXISTS (SELECT FROM outbox WHERE outbox.lead_id = id AND status = 'PENDING') AS "mayEnd"
               FROM unnest($1::uuid[]) AS id LEFT JOIN onboarding ON onboarding.lead_id = id`,
        values: [leadIds.filter((id) => z.uuid().safeParse(id).success)],
      });
      const states = new Map(rows.map((row) => [row.leadId, row]));
      const over = leadIds.filter((id) => {
        const known = states.get(id);
        return !known?.mayEnd && !['PENDING', 'RUNNING'].includes(known?.state ?? '');
      });
      const statuses = await statusesOf(client, over.map(onboardingWorkflowId));
      const differences = over.flatMap((leadId, index): Difference[] => {
        if (statuses[index] !== 'RUNNING') return [];
        const { organizationId = null, state } = states.get(leadId) ?? {};
        return [{ leadId, organizationId, run: 'onboarding', postgres: state ?? 'MISSING', temporal: 'RUNNING' }];
      });
      const next = Buffer.from(nextPageToken).toString('base64');
      return {
        checked: leadIds.length,
        differences,
        nextCursor: next === '' ? null : toCursor({ token: next }),
      };
    },
    WITHIN_MS,
  );
}

/** What Temporal's own store says of the latest runs; its list may lag behind. */
function statusesOf(client: Client, workflowIds: string[]): Promise<string[]> {
  const atOnce = pLimit(QUESTIONS);
  const ask = async (workflowId: string): Promise<string> => {
    try {
      return (await client.workflow.getHandle(workflowId).describe()).status.name;
    } catch (err) {
      if (err instanceof WorkflowNotFoundError) return 'MISSING';
      throw err;
    }
  };
  return Promise.all(workflowIds.map((id) => atOnce(() => ask(id))));
}

/**
 * Has relays look at runs that Postgres waits for and Temporal has not under way, at their next pass: they order again what
 * is to go on. Those that run for a lead that Postgres is done with are left to people: they may be of another
 * deployment.
 * @returns how many
 */
export async function repairRuns(pool: Pool, differences: readonly Difference[]): Promise<number> {
  const lost = differences.filter(({ temporal }) => temporal !== 'RUNNING');
  const { rowCount } = await pool.query({
    name: 'ops_look_now',
    text: `UPDATE watch w SET look_after = 'epoch' FROM unnest($1::uuid[], $2::text[]) AS lost (lead_id, run)
           WHERE w.lead_id = lost.lead_id AND w.run = lost.run`,
    values: [lost.map(({ leadId }) => leadId), lost.map(({ run }) => run)],
  });
  return rowCount ?? 0;
}
