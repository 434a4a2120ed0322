import { describe, expect } from 'vitest';
import { failurePolicy } from '../../activities/failure-policy.ts';
import { test } from '../support/api.ts';
import type { TestDatabase } from '../support/database.ts';

/** Three failures on end are enough, however soon they come. */
const impatient = {
  ...failurePolicy,
  limits: Object.fromEntries(Object.keys(failurePolicy.limits).map((type) => [type, { failures: 3, forMs: 0 }])),
};

/** Has the database refuse every score of a lead, as a rule of its own that the code does not know would. */
async function refuseScores({ pool }: TestDatabase) {
  await pool.query('ALTER TABLE lead_score ADD CONSTRAINT no_score CHECK (score < 0) NOT VALID');
  return () => pool.query('ALTER TABLE lead_score DROP CONSTRAINT no_score');
}

describe('a step that fails on end', () => {
  test('ends the onboarding as failed, with the reason on the timeline; retry ends it well', async ({
    api,
    onboard,
    database,
  }) => {
    const allowScores = await refuseScores(database);
    try {
      const run = await onboard({ failurePolicy: impatient });
      await expect(run.handle.result()).rejects.toThrow();
      const lead = await database.prisma.lead.findUniqueOrThrow({ where: { id: run.leadId } });
      expect(lead).toMatchObject({ onboardingState: 'FAILED', score: null });
      const outcome = { where: { leadId: run.leadId, type: 'onboarding.failed' } };
      const { data } = await database.prisma.leadEvent.findFirstOrThrow(outcome);
      expect(data).toEqual({ state: 'FAILED', reason: expect.stringMatching(/^PostgresError:23/) as string });
      expect(run.log.filter(({ step, msg }) => step === 'scoreLead' && msg === 'step failed')).toHaveLength(3);

      await allowScores();
      const answer = await api.call('POST', `/api/leads/${run.leadId}/onboarding/retry`);
      expect(answer).toMatchObject({ status: 202 });
      await expect
        .poll(() => database.prisma.lead.findUniqueOrThrow({ where: { id: run.leadId } }))
        .toMatchObject({ onboardingState: 'COMPLETED', score: 85 });
    } finally {
      await database.pool.query('ALTER TABLE lead_score DROP CONSTRAINT IF EXISTS no_score');
    }
  });

  test('is tried on and on while it is the database that is away', async ({ onboard }) => {
    let failures = 4;
    const run = await onboard({
      failurePolicy: impatient,
      activities: {
        scoreLead: () => {
          failures -= 1;
          if (failures < 0) return Promise.resolve({ score: 1, band: 'COLD', state: 'COMPLETED' });
          return Promise.reject(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }));
        },
      },
    });
    expect(await run.handle.result()).toMatchObject({ state: 'COMPLETED', score: 1 });
    expect(failures).toBe(-1);
  });
});
