import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import { OpsError } from '../ops/client.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { View } from './layout.tsx';
import { findLivePage } from './live-pages.tsx';
import type { Reader } from './reader.ts';

/** Between two looks: a change is on the page within a second. */
const LOOK_MS = 300;
/** Proxies close what is silent for longer. */
const HEARTBEAT_MS = 15_000;
/** Each is an open connection of a browser. */
const MAX_VIEWERS = 100;

let viewers = 0;

export interface LiveStream {
  /** Of the page that is looked at. */
  view: View;
  /** Asked at each look: who is not asked for is forgotten. */
  reader: () => Reader;
  log: Logger;
  stopping: AbortSignal;
}

/** Sends a page's live part whenever it has changed (`show`), that it cannot be had (`problem`), or no more (`gone`). */
export function streamPage(c: Context, { view, reader, log, stopping }: LiveStream) {
  const page = findLivePage(view.path);
  if (!page) return c.notFound();
  if (c.req.method === 'HEAD') return c.body(null, 200, { 'content-type': 'text/event-stream' }); // nobody reads it
  if (viewers >= MAX_VIEWERS) return c.text('Too many pages are open.', 503, { 'retry-after': '10' });
  viewers += 1;
  return streamSSE(
    c,
    async (stream) => {
      try {
        let shown: string | undefined = '';
        let saidAt = performance.now();
        const say = async (event: string, data: string) => {
          await stream.writeSSE({ event, data });
          saidAt = performance.now();
        };
        while (!stream.aborted && !stopping.aborted) {
          try {
            const html = (await page.show(view, reader())).toString();
            if (html !== shown) await say('show', html);
            shown = html;
          } catch (err) {
            if (!(err instanceof OpsError)) throw err;
            if (err.status === 401 || err.status === 404) {
              await say('gone', '');
              return;
            }
            if (shown !== undefined) await say('problem', '');
            shown = undefined;
          }
          if (performance.now() - saidAt > HEARTBEAT_MS) {
            await stream.write(': \n\n');
            saidAt = performance.now();
          }
          await stream.sleep(LOOK_MS);
        }
      } finally {
        viewers -= 1;
      }
    },
    (err) => {
      log.error({ err }, 'page not streamed');
      return Promise.resolve();
    },
  );
}
