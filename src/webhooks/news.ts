import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';

/**
 * Of an endpoint `w`, with `settled`, up to where the feed has come: whether there is something for it. An event of its
 * organization after the place that it has come to, or one that was set aside and is due.
 */
export const HAS_NEWS = `
  (EXISTS (SELECT FROM webhook_delivery d
           WHERE d.endpoint_id = w.id AND d.failed_at IS NULL AND d.next_at <= clock_timestamp())
   OR w.organization_id IS NOT NULL AND EXISTS (
        SELECT FROM lead_event e WHERE e.organization_id = w.organization_id
          AND (e.xid, e.seq) > (w.xid, w.seq) AND e.xid < settled)
   OR w.organization_id IS NULL AND EXISTS (
        SELECT FROM lead_event e WHERE e.type = 'notification.created'
          AND (e.xid, e.seq) > (w.xid, w.seq) AND e.xid < settled))`;

/** Between two looks, of which one is for all endpoints that this process waits for. */
const LOOK_MS = 400;

export interface News {
  /** Resolves when there is something for an endpoint, or somebody has paused or deleted it; false once `signal` aborts. */
  of(endpointId: string, signal: AbortSignal): Promise<boolean>;
}

/** Looks for news for all endpoints together that somebody waits for. While Postgres is away there are none. */
export function watchNews(pool: Pool): News {
  const waiting = new Map<string, () => void>();
  let looking = false;

  async function look(): Promise<void> {
    while (waiting.size > 0) {
      await sleep(LOOK_MS);
      for (const id of await withNews(pool, [...waiting.keys()]).catch(() => [])) waiting.get(id)?.();
    }
    looking = false;
  }

  return {
    of(endpointId, signal) {
      return new Promise((resolve) => {
        const end = (isNews: boolean) => {
          waiting.delete(endpointId);
          signal.removeEventListener('abort', giveUp);
          resolve(isNews);
        };
        const giveUp = () => end(false);
        if (signal.aborted) {
          giveUp();
          return;
        }
        signal.addEventListener('abort', giveUp);
        waiting.set(endpointId, () => end(true));
        if (looking) return;
        looking = true;
        void look();
      });
    },
  };
}

async function withNews(pool: Pool, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const { rows } = await pool.query<{ id: string }>({
    name: 'webhook_news',
    text: `SELECT asked AS id FROM unnest($1::uuid[]) AS asked
           LEFT JOIN webhook_endpoint w ON w.id = asked, pg_snapshot_xmin(pg_current_snapshot()) AS settled
           WHERE w.id IS NULL OR w.paused IS NOT NULL OR ${HAS_NEWS}`,
    values: [ids],
  });
  return rows.map(({ id }) => id);
}
