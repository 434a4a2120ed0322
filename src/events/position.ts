/**
 * A place in the feed: of a transaction, and of an entry that it wrote. Both count up; an entry of 0 is before all that
 * the transaction wrote.
 */
export interface Position {
  xid: bigint;
  seq: bigint;
}

const FORM = /^(\d{1,20})-(\d{1,19})$/;
/** Postgres' own: `xid8` has no sign, `bigint` has one. */
const MAX: Position = { xid: 2n ** 64n - 1n, seq: 2n ** 63n - 1n };

/** A position → what callers keep of it. */
export const encodePosition = ({ xid, seq }: Position): string => `${xid}-${seq}`;

/** What a caller kept → the position; undefined when it is none. */
export function decodePosition(cursor: string): Position | undefined {
  const [, xid = '', seq = ''] = FORM.exec(cursor) ?? [];
  if (xid === '') return undefined;
  const position = { xid: BigInt(xid), seq: BigInt(seq) };
  return position.xid <= MAX.xid && position.seq <= MAX.seq ? position : undefined;
}
