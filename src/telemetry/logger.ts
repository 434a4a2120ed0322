import { type DestinationStream, type Logger, pino } from 'pino';
import { activeTraceId } from './tracing.ts';

export type { Logger };

/** Bytes that wait for whoever reads the log; what is more is dropped. */
const MAX_WAITING = 4 * 1024 * 1024;
/** A reader that takes nothing for so long stands still. */
const STUCK_AFTER_MS = 1_000;

/**
 * The log of one process: JSON lines on stdout, `name` tells the part.
 * Callers log ids, states, counts and durations; names, e-mails and phones have no place in it.
 */
export function createLogger(name: string, level: string, destination: DestinationStream = openStdout()): Logger {
  const mixin = () => {
    const traceId = activeTraceId();
    return traceId === undefined ? {} : { traceId };
  };
  return pino(
    { name, level, base: { name, pid: process.pid }, mixin, serializers: { err: describeError } },
    destination,
  );
}

/**
 * Stdout, written to apart from the event loop. Whoever reads it may stand still: the process goes on, drops what does not
 * fit, and says how many lines that were once it is read again.
 */
function openStdout(): DestinationStream {
  /** When what waits to be written last moved on. */
  let movedAt: number | undefined;
  process.on('exit', () => {
    // What Node does at its end would wait for the reader: it is not to decide when we end.
    if (movedAt !== undefined && performance.now() - movedAt > STUCK_AFTER_MS) process.kill(process.pid, 'SIGKILL');
  });
  const stdout = pino.destination({ dest: 1, sync: false, maxLength: MAX_WAITING });
  let dropped = 0;
  stdout.on('drop', () => (dropped += 1));
  stdout.on('write', () => (movedAt = performance.now()));
  stdout.on('drain', () => {
    movedAt = undefined;
    if (dropped === 0) return;
    const line = {
      level: 40,
      time: Date.now(),
      pid: process.pid,
      lines: dropped,
      msg: 'nobody read the log: lines were dropped',
    };
    dropped = 0;
    stdout.write(`${JSON.stringify(line)}\n`);
  });
  return {
    write(line: string) {
      movedAt ??= performance.now();
      stdout.write(line);
    },
  };
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
