import type { Writable } from 'node:stream';
import { styleText } from 'node:util';
import { prettyFactory } from 'pino-pretty';
import { readLogLine, type LogRecord } from './log-record.ts';
import type { Part } from '../processes/part.ts';

export interface ChildOutputOptions {
  stdout: Writable;
  /** For people: one readable line per record. Else JSON lines for machines. */
  pretty: boolean;
  color: boolean;
}

export type Phase = 'starting' | 'running' | 'stopping';

export interface ChildOutput {
  /** Takes one line that a part wrote. */
  write(part: Part, line: string): void;
  /** Starting and stopping have lines of their own: people see only warnings of our processes then, of servers nothing. */
  setPhase(phase: Phase): void;
}

const NAME_WIDTH = 'worker:lead-onboarding'.length;
const WARNING = 40;
/** So that a record takes one line: what the name of the part or the lead's id says already. */
const HIDDEN_FROM_PEOPLE = 'pid,hostname,name,part,organizationId,requestId,eventId,workflowId,runId,taskQueue';

/** Puts the logs of all parts onto one stream, each line with the name of its part. */
export function createChildOutput({ stdout, pretty, color }: ChildOutputOptions): ChildOutput {
  let phase: Phase = 'starting';
  const format = prettyFactory({
    colorize: color,
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: HIDDEN_FROM_PEOPLE,
  });
  const asPretty = (part: Part, record: LogRecord) => {
    const name = part.name.padEnd(NAME_WIDTH);
    const prefix = color ? styleText('cyan', name, { validateStream: false }) : name;
    return `${format(record).trimEnd().replaceAll(/^/gm, `${prefix} `)}\n`;
  };
  return {
    write(part, line) {
      if (line === '' || (phase !== 'running' && part.output !== 'pino')) return;
      const record = readLogLine(part.output, line);
      if (!record) return;
      if (!pretty) stdout.write(`${JSON.stringify({ ...record, part: part.name })}\n`);
      else if (phase === 'running' || record.level >= WARNING) stdout.write(asPretty(part, record));
    },
    setPhase(next) {
      phase = next;
    },
  };
}
