import type { Hono } from 'hono';
import { z } from 'zod';
import { FAILED_STEPS } from '../failures/filter.ts';
import type { Retry } from '../ops/answers.ts';
import { LIMITABLE_QUEUES } from '../ops/queue-limit.ts';
import type { BoardEnv } from './context.ts';

const reason = z.string().trim().min(1);
const queueCommand = z.discriminatedUnion('command', [
  z.object({ command: z.enum(['pause', 'resume']), queue: z.enum(LIMITABLE_QUEUES), reason }),
  z.object({ command: z.literal('rate'), queue: z.enum(LIMITABLE_QUEUES), reason, perSecond: z.coerce.number() }),
]);
const retryCommand = z.object({ command: z.enum(['pause', 'resume', 'cancel']), reason });
/** All of what names a group of failures, so that none is taken for all of them. */
export const groupFilter = z.object({ step: z.enum(FAILED_STEPS), errorType: z.string(), organizationId: z.string() });
const newRetry = z.object({ perSecond: z.coerce.number(), reason });

/** The forms of the board: each is one call of `/ops`, and leads to the page that shows what came of it. */
export function actionRoutes(app: Hono<BoardEnv>): void {
  app.post('/board/queues', async (c) => {
    const { queue, command, ...order } = queueCommand.parse(await c.req.parseBody());
    await c.var.client.call('POST', `/ops/queues/${queue}/${command}`, order);
    return c.redirect('/board/queues', 303);
  });
  app.post('/board/retries', async (c) => {
    const form = await c.req.parseBody();
    const { perSecond, reason: why } = newRetry.parse(form);
    const order = { filter: groupFilter.parse(form), dryRun: false, perSecond, reason: why };
    const { id } = await c.var.client.call<Retry>('POST', '/ops/retries', order);
    return c.redirect(`/board/retries/${id}`, 303);
  });
  app.post('/board/retries/:id', async (c) => {
    const { command, reason: why } = retryCommand.parse(await c.req.parseBody());
    const path = `/ops/retries/${encodeURIComponent(c.req.param('id'))}/${command}`;
    await c.var.client.call('POST', path, { reason: why });
    return c.redirect(`/board/retries/${encodeURIComponent(c.req.param('id'))}`, 303);
  });
}
