import type { Pool } from 'pg';
import type { PrismaClient } from '../db/generated/client.ts';
import type { SafePost } from '../safe-fetch/safe-post.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Due } from './due.ts';
import { pauseEndpoint } from './pause.ts';
import { readDue } from './read-due.ts';
import { createSender, type Outcome } from './send.ts';
import { judge, pauseAfter, type Sent, settle, type Standing } from './settle.ts';
import { endTurn, takeTurn, type Turn } from './turn.ts';

/** What came of attempts is written down after this at the latest, and that of the one under way. */
const WRITTEN_AFTER_MS = 2_000;

export interface DeliveryDependencies {
  pool: Pool;
  prisma: PrismaClient;
  /** To the public Internet, for the endpoints of organizations. */
  poster: SafePost;
  /** To wherever the operator says. */
  operatorPoster: SafePost;
  /** Told of each attempt. */
  onAttempt?: ((outcome: Outcome) => void) | undefined;
  log: Logger;
}

export interface DeliveryRun {
  endpointId: string;
  /** Waits until there is something new, for a while. @returns whether there is */
  wait: () => Promise<boolean>;
  /** Whether it has gone on for so long that the rest is left to the next run. */
  isOver: () => boolean;
  /** Called now and then while it lives, and each time that something was delivered. */
  alive: () => void;
  delivered: () => void;
  /** Ends it: what is under way is not waited for. */
  signal: AbortSignal;
}

/**
 * Delivers to one endpoint what it is to be told: in the order of the feed, one event after the other, each until it is
 * taken or set aside, and again what was set aside and is due. Written down are, after some of them each time, how far it
 * has come and what came of each: a run that is killed in between sends some twice, with the same ids.
 * Ends when the endpoint has all, is paused, or is not to be asked for a while; and when the run is over.
 */
export async function deliverEvents(deps: DeliveryDependencies, run: DeliveryRun): Promise<void> {
  const { pool, prisma } = deps;
  for (;;) {
    run.alive();
    const turn = await takeTurn(pool, run.endpointId);
    if (!turn) break;
    const { due, next, hasMore } = await readDue(prisma, turn);
    const { sent, standing } = await sendAll(deps, turn, due, run);
    const end = sent.length === due.length ? next : undefined;
    const reached = end ?? lastPlace(sent) ?? turn.position;
    if (sent.length > 0 || end) await settle(pool, turn, sent, standing, reached);
    if (sent.length > 0) run.delivered();
    const why = pauseAfter(standing, sent.at(-1)?.outcome);
    if (why) await pauseEndpoint(deps, turn.endpoint, why);
    if (run.signal.aborted || run.isOver()) break;
    if (standing.waitMs > 0 || hasMore || sent.length < due.length) continue;
    if (!(await run.wait())) break;
  }
  await endTurn(pool, run.endpointId);
}

/** Sends one after the other, as long as the endpoint takes them. */
async function sendAll(
  deps: DeliveryDependencies,
  { endpoint, inTrouble }: Turn,
  due: readonly Due[],
  run: DeliveryRun,
): Promise<{ sent: Sent[]; standing: Standing }> {
  const send = createSender(endpoint.organizationId === null ? deps.operatorPoster : deps.poster, endpoint);
  const sent: Sent[] = [];
  const startedAt = Date.now();
  let standing: Standing = { failures: endpoint.failures, failingSince: endpoint.failingSince, waitMs: 0 };
  for (const one of due) {
    if (run.signal.aborted) break;
    run.alive();
    const outcome = await send(one.message, run.signal).catch((err: unknown) => {
      if (run.signal.aborted) return undefined; // it may have arrived, and is sent again
      throw err;
    });
    if (!outcome) break;
    deps.onAttempt?.(outcome);
    sent.push({ due: one, outcome });
    standing = judge(standing, outcome);
    if (standing.waitMs > 0 || pauseAfter(standing, outcome)) break;
    if (inTrouble || Date.now() - startedAt > WRITTEN_AFTER_MS) break;
  }
  return { sent, standing };
}

const lastPlace = (sent: readonly Sent[]) => sent.findLast(({ due }) => due.position)?.due.position;
