import { type DestinationStream, type Logger, pino } from 'pino';
import { activeTraceId } from './tracing.ts';

export type { Logger };

/**
 * The log of one process: JSON lines on stdout, `name` tells the part.
 * Callers log ids, states, counts and durations; names, e-mails and phones have no place in it.
 */
export function createLogger(name: string, level: string, destination?: DestinationStream): Logger {
  const mixin = () => {
    const traceId = activeTraceId();
    return traceId === undefined ? {} : { traceId };
  };
  const options = { name, level, base: { name, pid: process.pid }, mixin, serializers: { err: describeError } };
  return destination ? pino(options, destination) : pino(options);
}

/** As V8 writes it, with line and column. */
const FRAME = /^\s+at .+:\d+:\d+\)?$/;

/** An error without its message, which may quote what a person typed: kind, code and where it was thrown. */
export function describeError(err: unknown) {
  if (!(err instanceof Error)) return { type: typeof err };
  const code = 'code' in err && (typeof err.code === 'string' || typeof err.code === 'number') ? err.code : undefined;
  const frames = err.stack
    ?.replace(err.message, () => '') // a line of it may look like a frame
    .split('\n')
    .filter((line) => FRAME.test(line))
    .slice(0, 8);
  return {
    type: err.name,
    ...(code !== undefined && { code }),
    ...(frames && { at: frames.map((line) => line.trim()) }),
  };
}
