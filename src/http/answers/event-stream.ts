import { ReadableStream } from 'node:stream/web';
import type { HttpBindings } from '@hono/node-server';
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { Watcher } from '../../streams/watcher.ts';
import type { WatchRefusal } from '../../streams/watchers.ts';
import type { AppDependencies, HttpEnv } from '../context.ts';
import { overShare, Problem } from './problem.ts';

/** A client that takes nothing for so long has stopped reading. */
const STALLED_MS = 20_000;
/** For the end of a stream to reach its client; a process that stops waits no longer for one that hangs. */
const FAREWELL_MS = 1_000;

/** After this a client that was cut off comes back; one of a process that stops finds another one then. */
const RETRY_MS = 1_000;

/** What every stream begins with. */
export const BEGINNING = `retry: ${RETRY_MS}\n\n`;

/** Reads of all streams of a kind at once: when all of them read again, requests still find a free connection. */
export const READS_AT_ONCE = 3;

/** One event, with its data as JSON, which has no line breaks. */
export const encodeEvent = ({ id, event, data }: { id: number | string; event: string; data: unknown }): string =>
  `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;

/** A comment: keeps proxies from closing a connection that seems idle. */
export const HEARTBEAT = ':\n\n';

/**
 * Describes a stream in OpenAPI.
 * @param schema what one event is once it is read; the text on the wire stands in the description
 * @param example what stands on the wire
 */
export const streams = <Schema extends z.ZodType>(schema: Schema, example: string) => ({
  description: `Events, until the client or this process goes away, as in\n\n    ${example.trim().replaceAll('\n', '\n    ')}`,
  headers: z.object({
    'x-accel-buffering': z.literal('no').openapi({ description: 'Tells nginx not to hold events back' }),
  }),
  content: { 'text/event-stream': { schema } },
});

/** For the query of a stream. */
export const streamToken = z
  .string()
  .optional()
  .openapi({ description: 'A stream token, where no `Authorization` can be sent', example: 'lst_…' });

/** The watcher of a stream that there is room for. @throws Problem 429 or 503 for one that there is not */
export function admit(watcher: Watcher | WatchRefusal): Watcher {
  if (watcher === 'share-used-up') {
    throw overShare('Your organization has as many streams at this process as is its share: close some of them.', 5);
  }
  if (watcher === 'full') {
    throw new Problem(503, 'unavailable', 'This process has no room for another stream. Try again in a moment.', {
      headers: { 'retry-after': '5' },
    });
  }
  return watcher;
}

/** Who reads a stream: `end` says that nobody does, `ended` that there is nothing to read any more. */
export interface Reader {
  end(): void;
  readonly ended: AbortSignal;
}

/**
 * Answers with server-sent events, https://html.spec.whatwg.org/multipage/server-sent-events.html. The next text is
 * asked for when the client has taken the one before; a client that does not is dropped.
 * @param texts end soon after the reader has ended; what they throw ends the stream
 */
export function answerEvents(
  c: Context<HttpEnv>,
  texts: AsyncGenerator<string>,
  reader: Reader,
  { log }: Pick<AppDependencies, 'log'>,
): Response {
  let timer: NodeJS.Timeout | undefined;
  const dropAfter = (ms: number) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      reader.end();
      (c.env as Partial<HttpBindings> | undefined)?.outgoing?.destroy();
    }, ms);
  };
  reader.ended.addEventListener('abort', () => dropAfter(FAREWELL_MS));
  dropAfter(STALLED_MS); // also when nobody begins to read, as after HEAD
  const { signal } = c.req.raw;
  signal.addEventListener('abort', () => reader.end());
  if (signal.aborted) reader.end();

  async function* encode(): AsyncGenerator<Uint8Array> {
    let before = BEGINNING;
    try {
      clearTimeout(timer);
      for await (const text of texts) {
        dropAfter(STALLED_MS);
        yield Buffer.from(before + text);
        before = '';
        clearTimeout(timer);
      }
    } catch (err) {
      if (!(err instanceof Problem)) log.error({ requestId: c.var.requestId, err }, 'stream broken off'); // one is about the key
    } finally {
      reader.end();
      clearTimeout(timer);
    }
  }
  return c.body(ReadableStream.from<Uint8Array>(encode()), 200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no', // nginx would hold events back
  });
}
