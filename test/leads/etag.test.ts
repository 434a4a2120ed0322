import { describe, expect, it } from 'vitest';
import { namesVersion, tagLead } from '../../src/leads/etag.ts';
import { EXAMPLE_LEAD } from '../../src/leads/example-lead.ts';

const ROW: Parameters<typeof tagLead>[0] = {
  id: '01a20ab0-4757-752c-a5f9-81f88a505caa',
  ...EXAMPLE_LEAD,
  status: 'NEW',
  priority: 'NORMAL',
  locale: 'pt-BR',
  attributes: {},
  score: null,
  scoreBand: null,
  enrichment: null,
  onboardingState: 'PENDING',
  createdAt: '2026-11-24T12:00:00.000Z',
  updatedAt: '2026-11-24T12:00:00.000Z',
  version: 3,
};

describe('an ETag', () => {
  it('is quoted: the version, and a digest of the whole answer', () => {
    const { lead, etag } = tagLead(ROW);
    expect(lead).toMatchObject({ id: ROW.id, name: 'João Silva' });
    expect(etag).toMatch(/^"3-[\w-]{22}"$/);
    expect(tagLead({ ...ROW }).etag).toBe(etag);
    expect(tagLead({ ...ROW, score: 85 }).etag).not.toBe(etag);
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
