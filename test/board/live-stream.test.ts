import { Hono } from 'hono';
import { expect, onTestFinished, test } from 'vitest';
import { type BoardEnv, viewOf } from '../../src/board/context.ts';
import { streamPage } from '../../src/board/live-stream.ts';
import type { Reader } from '../../src/board/reader.ts';
import { recordLog } from '../support/log.ts';

test('a page that is open goes on using the reader of its key, which is not forgotten meanwhile', async () => {
  const stopping = new AbortController();
  onTestFinished(() => stopping.abort());
  let asked = 0;
  const failures = () => Promise.resolve({ items: [], totalLeads: 0, truncated: false });
  const reader = () => {
    asked += 1;
    return { failures } as unknown as Reader;
  };
  const app = new Hono<BoardEnv>();
  app.use((c, next) => {
    c.set('language', 'en');
    return next();
  });
  app.get('/live', (c) =>
    streamPage(c, { view: viewOf(c, '/board/failures'), reader, log: recordLog().log, stopping: stopping.signal }),
  );
  const { body } = await app.request('/live');
  const events = body?.getReader();
  await events?.read();
  await expect.poll(() => asked).toBeGreaterThan(2);
  await events?.cancel();
});
