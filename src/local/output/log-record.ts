import type { OutputFormat } from '../processes/part.ts';

/** One log line of a part in pino's shape: `level` is 30 for info, 40 for a warning, 50 for an error, 60 for a fatal one. */
export interface LogRecord {
  level: number;
  time: number | string;
  msg: string;
  [field: string]: unknown;
}

const LEVELS: Record<string, number> = {
  trace: 10,
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
  fatal: 60,
};

/**
 * Reads one line of a part's output. Nothing when it is a server's everyday chatter. A line of ours that is no record
 * counts as a warning: it is what a crash leaves.
 */
export function readLogLine(format: OutputFormat, line: string): LogRecord | undefined {
  switch (format) {
    case 'pino':
      return fromJson(line) ?? { level: 40, time: Date.now(), msg: line };
    case 'postgres':
      return fromPostgres(line);
    case 'temporal':
      return fromTemporal(line);
  }
}

function fromJson(line: string): LogRecord | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const fields = JSON.parse(line) as Record<string, unknown>;
    const { level, time, msg } = fields;
    return {
      ...fields,
      level: typeof level === 'number' ? level : (LEVELS[String(level).toLowerCase()] ?? 30),
      time: typeof time === 'number' || typeof time === 'string' ? time : Date.now(),
      msg: typeof msg === 'string' ? msg : '',
    };
  } catch {
    return undefined;
  }
}

/** ERROR and FATAL are left out: a statement or a session failed, and its client reports that or expected it. */
function fromPostgres(line: string): LogRecord | undefined {
  const found = /\] (?<level>WARNING|PANIC): +(?<msg>.*)$/.exec(line)?.groups;
  if (!found) return undefined;
  return { level: found['level'] === 'PANIC' ? 60 : 40, time: Date.now(), msg: found['msg'] ?? line };
}

/** Its warnings are left out: it warns of what is fine, such as a search attribute that exists already. */
function fromTemporal(line: string): LogRecord | undefined {
  const record = fromJson(line);
  if (!record || record.level < 50) return undefined;
  const { level, time, msg, error } = record;
  return { level, time, msg: typeof error === 'string' ? `${msg}: ${error}` : msg };
}
