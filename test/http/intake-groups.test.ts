import { describe, expect } from 'vitest';
import type { Lead } from '../../src/leads/lead.ts';
import { newLead, testWithoutStarts as test } from '../support/api.ts';
import { takeIn } from '../support/onboarding.ts';
import { recordStatements } from '../support/statements.ts';

describe('leads that come at once', () => {
  test('are stored by few statements, and each caller hears of its own', async ({ api }) => {
    const bodies = Array.from({ length: 60 }, () => newLead());
    const statements = recordStatements();
    const answers = await Promise.all(bodies.map((body) => api.call<Lead>('POST', '/api/leads', body)));
    expect(answers.map(({ status, body }) => [status, body.email])).toEqual(bodies.map(({ email }) => [201, email]));
    const intakes = statements.filter(({ text }) => text.includes('intake_group('));
    expect(intakes.length).toBeLessThan(bodies.length / 2);
  });

  test.for(['with', 'without'])(
    'do not hear of one of them that is held up, %s keys: it alone is refused',
    async (keys, { api, database }) => {
      const held = newLead();
      const { leadId } = await takeIn(database, { email: held.email });
      const holder = await database.pool.connect();
      await holder.query('BEGIN');
      await holder.query('SELECT 1 FROM lead WHERE id = $1 FOR UPDATE', [leadId]);
      const bodies = [newLead(), newLead(), held, newLead(), newLead(), newLead()];
      const answers = await Promise.all(
        bodies.map((body, place) =>
          api.call('POST', '/api/leads', body, keys === 'with' ? { 'idempotency-key': `held-${place}` } : {}),
        ),
      );
      await holder.query('ROLLBACK');
      holder.release();
      const statuses = answers.map(({ status }) => status);
      expect(statuses.toSpliced(2, 1)).toEqual([201, 201, 201, 201, 201]);
      expect(keys === 'with' ? [409] : [409, 503]).toContain(statuses[2]); // without, when the request has had its time
    },
  );
});
