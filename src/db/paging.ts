import { z } from 'zod';

/** A cursor that this service did not make, or made for another list. */
export class CursorError extends Error {
  override name = 'CursorError';
}

/** Where a keyset page ended: a time and the id that breaks its ties. */
export interface Position {
  at: Date;
  id: string;
}

/** Postgres has no year 0. */
const positionSchema = z.tuple([z.iso.datetime().regex(/^(?!0000)/), z.string()]);

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

/** A position → an opaque, URL-safe cursor. */
export function encodeCursor({ at, id }: Position): string {
  return Buffer.from(JSON.stringify([at.toISOString(), id])).toString('base64url');
}

/**
 * A cursor → the position. `idPattern` tells the lists apart.
 * @throws CursorError when the text is not exactly a cursor of `encodeCursor`.
 */
export function decodeCursor(cursor: string, idPattern = UUID): Position {
  const parsed = positionSchema.safeParse(parseJson(Buffer.from(cursor, 'base64url').toString('utf8')));
  if (!parsed.success) throw new CursorError('not a cursor');
  const [at, id] = parsed.data;
  const position = { at: new Date(at), id };
  if (!idPattern.test(id) || encodeCursor(position) !== cursor) throw new CursorError('not a cursor of this list');
  return position;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * What comes after a position in a list by a time and an id, the newest first.
 * The first condition follows from the second; it is the one that an index can look up.
 */
export function olderBy<Time extends string>(time: Time, id: string, position: Position) {
  const before = { OR: [{ [time]: { lt: position.at } }, { [id]: { lt: position.id } }] };
  return { [time]: { lte: position.at }, ...before } as Record<Time, { lte: Date }> & typeof before;
}

/** What comes after a position in such a list that begins with the oldest. */
export function newerBy<Time extends string>(time: Time, id: string, position: Position) {
  const after = { OR: [{ [time]: { gt: position.at } }, { [id]: { gt: position.id } }] };
  return { [time]: { gte: position.at }, ...after } as Record<Time, { gte: Date }> & typeof after;
}

/** What comes after a position in a list by `createdAt` and `id`, the newest first. */
export const olderThan = (position: Position) => olderBy('createdAt', 'id', position);

/** Of the items of a page as JSON, so that with what stands around them an answer stays within 4 MiB. */
export const MAX_PAGE_BYTES = 4 * 1024 * 1024 - 1024;

/**
 * Cuts a list that was read one row too far into a page: at most `limit` rows, fewer where they are too large together,
 * and at least one.
 * @param toItem makes of a row what is answered
 * @returns the items, and the cursor of the next page or null at the end
 */
export function toPage<Row, Item>(
  rows: Row[],
  limit: number,
  position: (row: Row) => Position,
  toItem: (row: Row) => Item,
  maxBytes = MAX_PAGE_BYTES,
): { items: Item[]; nextCursor: string | null } {
  const items: Item[] = [];
  let bytes = 0;
  for (const row of rows.slice(0, limit)) {
    const item = toItem(row);
    bytes += Buffer.byteLength(JSON.stringify(item)) + 1; // a comma
    if (bytes > maxBytes && items.length > 0) break;
    items.push(item);
  }
  const last = rows[items.length - 1];
  return { items, nextCursor: rows.length > items.length && last !== undefined ? encodeCursor(position(last)) : null };
}
