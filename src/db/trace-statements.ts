import type pg from 'pg';
import { isTracing, SpanKind, withSpan } from '../telemetry/tracing.ts';

type Connected = Parameters<pg.Pool['connect']>[0];
type Query = (...statement: unknown[]) => Promise<unknown>;

/** Makes a span of each statement of a pool, where spans are made. It has the statement's name, and nothing of its values. */
export function traceStatements(pool: pg.Pool): void {
  if (!isTracing()) return;
  trace(pool);
  const connect = pool.connect.bind(pool) as { (): Promise<pg.PoolClient>; (callback: Connected): void };
  const traced = new WeakSet<pg.PoolClient>();
  const connectTraced = async () => {
    const client = await connect();
    if (!traced.has(client)) trace(client);
    traced.add(client);
    return client;
  };
  // With a callback it is the pool itself that connects, for a statement that has its span already.
  pool.connect = ((callback?: Connected) => (callback ? connect(callback) : connectTraced())) as typeof pool.connect;
}

function trace(target: pg.Pool | pg.PoolClient): void {
  const query = target.query.bind(target) as unknown as Query;
  const queryTraced: Query = (...statement) => {
    if (typeof statement.at(-1) === 'function') return query(...statement);
    const summary = nameOf(statement[0]);
    const attributes = { 'db.system.name': 'postgresql', 'db.query.summary': summary };
    return withSpan(summary, { kind: SpanKind.CLIENT, attributes }, () => query(...statement));
  };
  target.query = queryTraced as typeof target.query;
}

/** Its own name where it has one, else what it does: the text may have more in it. */
function nameOf(statement: unknown): string {
  const { name, text } = (typeof statement === 'string' ? { text: statement } : statement) as pg.QueryConfig;
  return name ?? /^\s*(\w+)/.exec(text)?.[1]?.toUpperCase() ?? 'statement';
}
