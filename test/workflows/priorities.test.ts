import { describe, expect, test } from 'vitest';
import { bulkScorePriority, lastPriority, leadPriority, scorePriority } from '../../workflows/priorities.ts';

const LEAD = { organizationId: 'org-1', priority: 'LOW' } as const;

describe('a fairness key', () => {
  // Temporal refuses one of more than 64 bytes; these are characters of one to four bytes of UTF-8.
  test.for([
    ['a', 64],
    ['é', 32],
    ['ÿ', 32],
    ['€', 21],
    ['🙂', 16],
  ] as const)(
    'of an organization whose id is long has 64 bytes at most, in whole characters: %s',
    ([character, count]) => {
      const organizationId = character.repeat(65);
      const cut = character.repeat(count);
      expect(leadPriority({ ...LEAD, organizationId }).fairnessKey).toBe(cut);
      expect(lastPriority(organizationId)).toEqual({ priorityKey: 5, fairnessKey: cut });
      for (const { fairnessKey } of [
        scorePriority({ ...LEAD, organizationId }),
        bulkScorePriority({ ...LEAD, organizationId }),
      ]) {
        expect(fairnessKey).toBe(`score:${character.repeat(Math.floor(58 / Buffer.byteLength(character)))}`);
      }
    },
  );

  test('is the id of an organization that has 64 bytes', () => {
    const organizationId = `${'🙂'.repeat(15)}éé`;
    expect(Buffer.byteLength(organizationId)).toBe(64);
    expect(leadPriority({ ...LEAD, organizationId }).fairnessKey).toBe(organizationId);
  });
});
