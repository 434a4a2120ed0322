import { describe, expect, it } from 'vitest';
import { namesVersion, tagLead } from '../../src/leads/etag.ts';
import { EXAMPLE_ANSWER } from '../../src/leads/lead.ts';

const ROW = { ...EXAMPLE_ANSWER, version: 3 };

describe('an ETag', () => {
  it('is quoted: the version, and a digest of the whole answer', () => {
    const { lead, etag } = tagLead(ROW);
    expect(lead).toMatchObject({ id: ROW.id, name: 'João Silva' });
    expect(etag).toMatch(/^"3-[\w-]{22}"$/);
    expect(tagLead({ ...ROW }).etag).toBe(etag);
    expect(tagLead({ ...ROW, score: 40 }).etag).not.toBe(etag);
  });
});

describe('If-Match', () => {
  it.each(['*', '"3-abc"', '"3-another"', 'W/"3-abc"', '"2-abc", "3-abc"', '"2-abc" , W/"3-abc"'])(
    '%s names version 3',
    (ifMatch) => {
      expect(namesVersion(ifMatch, 3)).toBe(true);
    },
  );

  it.each(['"2-abc"', '"33-abc"', '3-abc', '"x", "2-3-abc"', '', '"2-abc", *', '"W/"3-abc"', 'xW/"3-abc"'])(
    '%s does not',
    (ifMatch) => {
      expect(namesVersion(ifMatch, 3)).toBe(false);
    },
  );
});
