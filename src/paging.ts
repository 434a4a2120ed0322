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

const positionSchema = z.tuple([z.iso.datetime(), z.string().regex(/^[\da-f-]{1,36}$/)]);

/** A position → an opaque, URL-safe cursor. */
export function encodeCursor({ at, id }: Position): string {
  return Buffer.from(JSON.stringify([at.toISOString(), id])).toString('base64url');
}

/** @throws CursorError when the text is no cursor of `encodeCursor`. */
export function decodeCursor(cursor: string): Position {
  let decoded: unknown;
  try {
    decoded = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    throw new CursorError('not a cursor');
  }
  const parsed = positionSchema.safeParse(decoded);
  if (!parsed.success) throw new CursorError('not a cursor');
  const [at, id] = parsed.data;
  return { at: new Date(at), id };
}

/**
 * Cuts a list that was read one row too far into a page.
 * @returns at most `limit` rows, and the cursor of the next page or null at the end.
 */
export function toPage<Row>(rows: Row[], limit: number, position: (row: Row) => Position) {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: rows.length > limit && last !== undefined ? encodeCursor(position(last)) : null };
}
