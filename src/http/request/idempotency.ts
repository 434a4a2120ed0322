import { createHash } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { Prisma } from '../../db/generated/client.ts';
import { once } from '../../db/once.ts';
import type { Order } from '../../outbox/order.ts';
import { withSlot } from '../../outbox/with-slot.ts';
import { Problem } from '../answers/problem.ts';
import type { AppDependencies, HttpEnv } from '../context.ts';
import { isMergePatch, MERGE_PATCH } from './body.ts';

/** Of requests that change something. */
export const idempotencyKey = z
  .string()
  .regex(/^[\x20-\x7e]{1,255}$/, 'must be 1 to 255 printable ASCII characters')
  .optional()
  .openapi({ description: 'Makes a repetition of this request answer what the first one answered, and do no more' });

/** For `request.headers` of a route. */
export const idempotencyHeaders = z.object({ 'idempotency-key': idempotencyKey });

/** For a request that has no use for a key. @throws Problem: a key is never passed over in silence */
export function refuseIdempotencyKey(c: Context<HttpEnv>, why: string): void {
  if (c.req.header('idempotency-key') === undefined) return;
  throw new Problem(400, 'invalid-request', 'Leave the header Idempotency-Key out.', {
    errors: [{ path: 'idempotency-key', message: why }],
  });
}

/** Where keys of callers stand who need no API key, and so have no organization. */
const NOBODY = '-';

type Work<Answer> = (tx: Prisma.TransactionClient) => Promise<Answer>;
type Ordering<Answer> = (
  tx: Prisma.TransactionClient,
  orderDelayMs: number,
) => Promise<{ order: Order | undefined; answer: Answer }>;

/** Names the lead that a request is about: with it the answer is forgotten. */
interface About {
  leadId?: string;
}

/**
 * Does what requests ask for, each in one transaction; with an `Idempotency-Key` once, however often the request is sent.
 * All of it throws KeyReused, AnswerForgotten, and what the work throws.
 */
export function createWriter({ intake, fastStart }: Pick<AppDependencies, 'intake' | 'fastStart'>) {
  /** @returns the answer, or what `keep` has made of it when the work was done before */
  async function run<Answer, Kept>(
    c: Context<HttpEnv>,
    work: Work<Answer>,
    keep: (answer: Answer) => Kept,
    { leadId }: About = {},
  ): Promise<{ done: Answer } | { doneBefore: Kept }> {
    const key = c.req.header('idempotency-key');
    if (key === undefined) return { done: await c.var.tenant.write(work) };
    const onceKey = {
      organizationId: c.var.key?.organizationId ?? NOBODY,
      key,
      requestHash: await hashRequest(c),
      ttlHours: intake.idempotencyTtlHours,
      leadId,
    };
    return c.var.tenant.write((tx) => once(tx, onceKey, () => work(tx), keep));
  }

  return {
    run,
    /** @returns the answer of the work, now or when it was done */
    async write<Answer>(c: Context<HttpEnv>, work: Work<Answer>, about?: About): Promise<Answer> {
      const outcome = await run(c, work, (answer) => answer, about);
      return 'done' in outcome ? outcome.done : outcome.doneBefore;
    },
    /**
     * The same for work whose answer has a secret, which is not kept.
     * @param toldBefore what a repetition is told, by the id of what was made
     * @throws Problem 409 when it was done before
     */
    async issue<Issued extends { id: string }>(
      c: Context<HttpEnv>,
      work: Work<Issued>,
      toldBefore: (id: string) => string,
    ): Promise<Issued> {
      const outcome = await run(c, work, ({ id }) => ({ id }));
      if ('done' in outcome) return outcome.done;
      throw new Problem(409, 'conflict', toldBefore(outcome.doneBefore.id));
    },
    /** The same for work that may place an order, which is carried out in the background. */
    order<Answer>(c: Context<HttpEnv>, work: Ordering<Answer>, about?: About): Promise<Answer> {
      return withSlot(fastStart, async (orderDelayMs) => {
        const keep = ({ answer }: { answer: Answer }) => answer;
        const outcome = await run(c, (tx) => work(tx, orderDelayMs), keep, about);
        return 'done' in outcome ? outcome.done : { order: undefined, answer: outcome.doneBefore };
      });
    },
  };
}

async function hashRequest(c: Context<HttpEnv>): Promise<string> {
  const { pathname, search } = new URL(c.req.url);
  const form = isMergePatch(c) ? ` ${MERGE_PATCH}` : '';
  const hash = createHash('sha256').update(`${c.req.method} ${pathname}${search}${form}\n`);
  return hash.update(await c.req.text()).digest('base64url');
}
