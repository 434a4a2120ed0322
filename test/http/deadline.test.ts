import { Hono } from 'hono';
import { expect, test } from 'vitest';
import { answerInTime } from '../../src/http/answers/deadline.ts';
import { answerErrors } from '../../src/http/answers/errors.ts';
import type { HttpEnv } from '../../src/http/context.ts';
import { recordLog } from '../support/log.ts';
import { PATIENCE_MS } from '../support/patience.ts';

const appWith = (answerWithinMs: number, handler: () => Promise<Response>) => {
  const app = new Hono<HttpEnv>();
  app.use(answerInTime({ answerWithinMs }));
  app.onError(answerErrors(recordLog().log));
  return app.get('/', handler);
};

test('a handler that does not end is answered for: nobody knows what became of it', async () => {
  const answer = await appWith(20, () => new Promise(() => undefined)).request('/');
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({ status: 503 });
});

test('a handler that ends in time answers for itself', async () => {
  const answer = await appWith(PATIENCE_MS, () => Promise.resolve(new Response('here'))).request('/');
  expect(await answer.text()).toBe('here');
});
