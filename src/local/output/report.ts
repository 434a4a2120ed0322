import type { Writable } from 'node:stream';
import { styleText } from 'node:util';
import { readLogLine } from './log-record.ts';
import type { PartEvent } from '../processes/part-event.ts';
import type { OutputFormat } from '../processes/part.ts';

/** The lines that the local stack itself tells people. */
export interface Report {
  /** Something is up or done. */
  done(name: string, detail: string, afterMs: number): void;
  /** Something takes its time, or is worth knowing. */
  note(name: string, text: string): void;
  /** Something went wrong. */
  fault(name: string, text: string): void;
  event(event: PartEvent): void;
  /** Lines as they are. */
  text(text: string): void;
}

type Paint = Parameters<typeof styleText>[0];

/** Of what a server wrote before it died. */
const LINES_SHOWN = 5;
const WIDTH = 160;
const NAME_WIDTH = 'worker:lead-onboarding'.length;

/** Writes a report for people. `describe` says where a part that is ready can be reached. */
export function createReport(stream: Writable, color: boolean, describe: (partName: string) => string): Report {
  const paint = (style: Paint, text: string) => (color ? styleText(style, text, { validateStream: false }) : text);
  const line = (sign: string, name: string, text: string) =>
    stream.write(`  ${sign} ${name.padEnd(NAME_WIDTH)} ${text}\n`);
  const report: Report = {
    done: (name, detail, afterMs) =>
      void line(paint('green', '✔'), name, `${detail.padEnd(24)} ${paint('dim', seconds(afterMs))}`),
    note: (name, text) => void line(paint('yellow', '…'), name, text),
    fault: (name, text) => void line(paint('red', '✖'), name, text),
    event,
    text: (text) => void stream.write(`${text}\n`),
  };
  return report;

  function event(happened: PartEvent): void {
    const { name } = happened.part;
    switch (happened.kind) {
      case 'launched':
        return;
      case 'waiting':
        report.note(name, `not ready after ${seconds(happened.afterMs)}, still waiting`);
        return;
      case 'ready':
        report.done(name, happened.restarts === 0 ? describe(name) : 'runs again', happened.afterMs);
        return;
      case 'died':
        report.fault(name, `ended (${happened.reason}), starts again in ${seconds(happened.retryInMs)}`);
        if (happened.part.output === 'pino') return;
        for (const text of happened.lastLines.slice(-LINES_SHOWN))
          report.text(paint('dim', `      ${shorten(happened.part.output, text)}`));
        return;
      case 'stopped':
        report.done(name, happened.killed ? 'killed: it did not stop' : 'stopped', happened.afterMs);
    }
  }
}

/** What a server's log line says, cut to fit. Temporal's are JSON. */
function shorten(format: OutputFormat, line: string): string {
  const text = readLogLine(format, line)?.msg ?? line;
  return text.length > WIDTH ? `${text.slice(0, WIDTH)}…` : text;
}

/** Milliseconds as people read them. */
export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(1)} s`;
}
