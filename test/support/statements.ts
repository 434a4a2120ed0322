import pg from 'pg';
import { onTestFinished, vi } from 'vitest';

export interface Statement {
  text: string;
  values: unknown[];
}

/** Notes every statement that this process sends to Postgres until the test ends, whatever sends it. */
export function recordStatements(): Statement[] {
  const statements: Statement[] = [];
  // oxlint-disable-next-line typescript/unbound-method -- called with its client below
  const query = pg.Client.prototype.query as (...args: unknown[]) => unknown;
  const spy = vi.spyOn(pg.Client.prototype, 'query');
  spy.mockImplementation(function (this: pg.Client, ...args: unknown[]) {
    const [first, second] = args as [string | { text: string; values?: unknown }, unknown];
    const { text, values = second } = typeof first === 'string' ? { text: first } : first;
    statements.push({ text, values: Array.isArray(values) ? values : [] });
    return query.apply(this, args);
  });
  onTestFinished(() => spy.mockRestore());
  return statements;
}
