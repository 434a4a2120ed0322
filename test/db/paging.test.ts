import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CursorError, decodeCursor, encodeCursor, MAX_PAGE_BYTES, toPage } from '../../src/db/paging.ts';

const ID = '019b76da-a800-7000-8000-000000000000';
const AT = new Date('2026-01-01T12:00:00.123Z');
const cursorOf = (position: unknown) => Buffer.from(JSON.stringify(position)).toString('base64url');

describe('a cursor', () => {
  it('leads back to its position, and needs no escaping in a URL', () => {
    const ids = fc.uuid();
    const times = fc.date({
      min: new Date('0001-01-01T00:00:00Z'),
      max: new Date('9999-12-31T23:59:59Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(times, ids, (at, id) => {
        const cursor = encodeCursor({ at, id });
        expect(decodeCursor(cursor)).toEqual({ at, id });
        expect(encodeURIComponent(cursor)).toBe(cursor);
      }),
    );
  });

  it('of another kind of id is known by its pattern', () => {
    const cursor = encodeCursor({ at: AT, id: '1f' });
    expect(decodeCursor(cursor, /^[\da-f]{1,15}$/)).toEqual({ at: AT, id: '1f' });
    expect(() => decodeCursor(cursor)).toThrow(CursorError);
    expect(() => decodeCursor(encodeCursor({ at: AT, id: ID }), /^[\da-f]{1,15}$/)).toThrow(CursorError);
  });

  it.each([
    ['nothing', ''],
    ['no base64', '***'],
    ['no JSON', Buffer.from('cursor').toString('base64url')],
    ['no list', cursorOf({ at: AT, id: ID })],
    ['no id', cursorOf([AT])],
    ['one thing too many', cursorOf([AT, ID, 1])],
    ['a time that is a number', cursorOf([AT.getTime(), ID])],
    ['a time without a day', cursorOf(['2026-02-30T00:00:00.000Z', ID])],
    ['a time that Postgres does not know', cursorOf(['0000-12-31T00:00:00.000Z', ID])],
    ['a time far away', cursorOf(['+010000-01-01T00:00:00.000Z', ID])],
    ['a time in another spelling', cursorOf(['2026-01-01T12:00:00Z', ID])],
    ['a time of another zone', cursorOf(['2026-01-01T12:00:00.123+01:00', ID])],
    ['an id that is no UUID', cursorOf([AT, '-'])],
    ['an id in capitals', cursorOf([AT, ID.toUpperCase()])],
    ['padding', `${encodeCursor({ at: AT, id: ID })}=`],
    ['something behind it', `${encodeCursor({ at: AT, id: ID })}!`],
  ])('is refused when it is, or has, %s', (_, cursor) => {
    expect(() => decodeCursor(cursor)).toThrow(CursorError);
  });

  it('is refused, and nothing worse, whatever the text', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.base64String(),
          fc.json().map((json) => Buffer.from(json).toString('base64url')),
        ),
        (text) => {
          expect(() => decodeCursor(text)).toThrow(CursorError);
        },
      ),
    );
  });
});

describe('a page', () => {
  const position = (id: string) => ({ at: AT, id });
  const rows = ['a', 'b', 'c'];
  const same = (row: string) => row;

  it('has a cursor when there was a row too many, and it is of the last row that is shown', () => {
    expect(toPage(rows, 2, position, same)).toEqual({
      items: ['a', 'b'],
      nextCursor: encodeCursor({ at: AT, id: 'b' }),
    });
  });

  it('has none at the end', () => {
    expect(toPage(rows, 3, position, same)).toEqual({ items: rows, nextCursor: null });
    expect(toPage([], 3, position, same)).toEqual({ items: [], nextCursor: null });
  });

  it('ends early where its items would be more than 4 MiB together, and goes on from there', () => {
    const large = (row: string) => row.repeat(2 * 1024 * 1024 - 600);
    const page = toPage(rows, 3, position, large);
    expect(page).toEqual({ items: [large('a'), large('b')], nextCursor: encodeCursor({ at: AT, id: 'b' }) });
    expect(Buffer.byteLength(JSON.stringify(page))).toBeLessThanOrEqual(4 * 1024 * 1024);
    expect(toPage(['c'], 3, position, large)).toEqual({ items: [large('c')], nextCursor: null });
  });

  it('has one item at least, however large', () => {
    const huge = (row: string) => row.repeat(MAX_PAGE_BYTES);
    expect(toPage(rows, 3, position, huge)).toEqual({
      items: [huge('a')],
      nextCursor: encodeCursor({ at: AT, id: 'a' }),
    });
  });
});
