import { ReadableStream } from 'node:stream/web';
import type { Context } from 'hono';
import type { Logger } from '../../telemetry/logger.ts';
import type { HttpEnv } from '../context.ts';

/**
 * Answers with one JSON value a line. The first is waited for, so that what fails at once is a problem and not half an
 * answer; what fails later breaks the answer off.
 */
export async function answerLines(c: Context<HttpEnv>, values: AsyncGenerator, log: Logger): Promise<Response> {
  const first = await values.next();
  const requestId = c.get('requestId');
  async function* lines() {
    try {
      if (first.done !== true) yield toLine(first.value);
      for await (const value of values) yield toLine(value);
    } catch (err) {
      log.error({ requestId, err }, 'answer broken off');
      throw new Error('The answer was broken off'); // the server prints it: no words of the database
    }
  }
  return c.body(ReadableStream.from<Uint8Array>(lines()), 200, { 'content-type': 'application/x-ndjson' });
}

const toLine = (value: unknown) => Buffer.from(`${JSON.stringify(value)}\n`);
