import { describe, expect } from 'vitest';
import type { Lead } from '../../src/leads/lead.ts';
import { newLead, testWithoutStarts as test } from '../support/api.ts';
import { takeIn } from '../support/onboarding.ts';
import { expectProblem } from '../support/problem.ts';
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

  test('do not hear of one of them that is held up: it alone is refused', async ({ api, database }) => {
    const held = newLead();
    const { leadId } = await takeIn(database, { email: held.email });
    const holder = await database.pool.connect();
    await holder.query('BEGIN');
    await holder.query('SELECT 1 FROM lead WHERE id = $1 FOR UPDATE', [leadId]);
    const bodies = [newLead(), newLead(), held, newLead(), newLead(), newLead()];
    const answers = await Promise.all(
      bodies.map((body, place) => api.call('POST', '/api/leads', body, { 'idempotency-key': `held-${place}` })),
    );
    await holder.query('ROLLBACK');
    holder.release();
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 409, 201, 201, 201]);
    if (answers[2]) expectProblem(answers[2], 409, 'request-running');
  });
});
