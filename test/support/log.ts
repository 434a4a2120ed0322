import { Writable } from 'node:stream';
import { createLogger, type Logger } from '../../src/telemetry/logger.ts';

export type LogLine = Record<string, unknown> & { msg: string };

/** A real logger whose lines a test can read. */
export function recordLog(): { log: Logger; lines: LogLine[] } {
  const lines: LogLine[] = [];
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(JSON.parse(chunk.toString()) as LogLine);
      done();
    },
  });
  return { log: createLogger('test', 'debug', destination), lines };
}
