import { describe, expect, it } from 'vitest';
import { EXAMPLE_ANSWER, isUnfinished, leadSchema, toLead } from '../../src/leads/lead.ts';
import { ONBOARDING_STATES } from '../../workflows/contract.ts';

const ROW = {
  ...EXAMPLE_ANSWER,
  attributes: { campaign: 'spring' },
  createdAt: new Date('2026-11-24T12:00:00Z'),
  updatedAt: '2026-11-24T12:00:10.123456+00:00',
};

describe('a stored lead', () => {
  it('is answered as it is, with its times in UTC, and is what the document promises', () => {
    const times = { createdAt: '2026-11-24T12:00:00.000Z', updatedAt: '2026-11-24T12:00:10.123Z' };
    expect(toLead(ROW)).toEqual({ ...ROW, ...times });
    expect(leadSchema.parse(toLead(ROW))).toEqual({ ...ROW, ...times });
  });

  it('is answered without what hides in its names', () => {
    const hidden = toLead({ ...ROW, name: 'Ana\u202e Lima', company: 'Ac\u200bme' });
    expect(hidden).toMatchObject({ name: 'Ana Lima', company: 'Acme' });
    expect(toLead({ ...ROW, company: null }).company).toBeNull();
  });
});

it('a round goes on while it is pending or running', () => {
  expect(ONBOARDING_STATES.filter((onboardingState) => isUnfinished({ onboardingState }))).toEqual([
    'PENDING',
    'RUNNING',
  ]);
});
