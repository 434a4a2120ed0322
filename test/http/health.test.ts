import { describe, expect, onTestFinished } from 'vitest';
import { createTestApi, test } from '../support/api.ts';
import { expectProblem } from '../support/problem.ts';
import { recordStatements } from '../support/statements.ts';
import { createClientOfNobody } from '../support/temporal.ts';

describe('GET /healthz', () => {
  test('says that the process lives, and asks nobody else', async ({ api }) => {
    const statements = recordStatements();
    expect(await api.call('GET', '/healthz')).toMatchObject({ status: 200, body: { status: 'ok' } });
    expect(statements).toEqual([]);
  });
});

describe('GET /readyz', () => {
  test('says that leads can be taken in, and that Temporal is there', async ({ api }) => {
    const answer = await api.call('GET', '/readyz');
    expect(answer).toMatchObject({ status: 200, body: { status: 'ok', temporal: 'reachable' } });
  });

  test('is 200 without Temporal: leads are taken in all the same', async ({ database }) => {
    const nobody = await createClientOfNobody();
    const api = createTestApi(database, { client: nobody });
    const answer = await api.call('GET', '/readyz');
    expect(answer).toMatchObject({ status: 200, body: { status: 'ok', temporal: 'unreachable' } });
    await api.close();
  });

  test('looks once a second at most, however many ask', async ({ api }) => {
    const statements = recordStatements();
    const asked = Array.from({ length: 50 }, () => api.call('GET', '/readyz'));
    for (const answer of await Promise.all(asked)) expect(answer.status).toBe(200);
    expect((await api.call('GET', '/readyz')).status).toBe(200);
    expect(statements).toHaveLength(1);
  });

  test('is 503 while the database lacks the migration that the code needs', async ({ api, database: { pool } }) => {
    await pool.query('ALTER TABLE _prisma_migrations RENAME TO nothing_yet');
    onTestFinished(async () => {
      await pool.query('ALTER TABLE nothing_yet RENAME TO _prisma_migrations');
    });
    const answer = await api.call('GET', '/readyz');
    expectProblem(answer, 503, 'unavailable');
    expect(answer.text).toContain('npm run db:deploy');
  });
});
