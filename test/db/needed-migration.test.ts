import { readdirSync } from 'node:fs';
import { expect, onTestFinished } from 'vitest';
import type { Pool } from 'pg';
import { hasNeededSchema, NEEDED_MIGRATION, untilSchemaFits } from '../../src/db/schema.ts';
import { recordLog } from '../support/log.ts';
import { test } from '../support/onboarding.ts';

/** As pino numbers it. */
const WARN = 40;

/** As if the migration had begun, and not ended. */
async function undo(pool: Pool) {
  await pool.query('UPDATE _prisma_migrations SET finished_at = NULL WHERE migration_name = $1', [NEEDED_MIGRATION]);
  const redo = () =>
    pool.query('UPDATE _prisma_migrations SET finished_at = now() WHERE migration_name = $1', [NEEDED_MIGRATION]);
  onTestFinished(async () => {
    await redo();
  });
  return redo;
}

test('the migration that the code needs is the newest there is', () => {
  const folders = readdirSync('prisma/migrations', { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(NEEDED_MIGRATION).toBe(
    folders
      .map(({ name }) => name)
      .toSorted()
      .at(-1),
  );
});

test('a database fits only once that migration has ended', async ({ database: { pool } }) => {
  expect(await hasNeededSchema(pool)).toBe(true);
  await undo(pool);
  expect(await hasNeededSchema(pool)).toBe(false);
});

test('an empty database does not fit', async ({ database: { pool } }) => {
  await pool.query('ALTER TABLE _prisma_migrations RENAME TO nothing_yet');
  onTestFinished(async () => {
    await pool.query('ALTER TABLE nothing_yet RENAME TO _prisma_migrations');
  });
  expect(await hasNeededSchema(pool)).toBe(false);
});

test('a process waits for the migration, says so, and goes on by itself', async ({ database: { pool } }) => {
  const redo = await undo(pool);
  const { log, lines } = recordLog();
  const waiting = untilSchemaFits(pool, log, new AbortController().signal);
  await expect.poll(() => lines).toMatchObject([{ level: WARN, needed: NEEDED_MIGRATION }]);
  await redo();
  await waiting;
});

test('a process that is told to stop waits no longer', async ({ database: { pool } }) => {
  await undo(pool);
  await untilSchemaFits(pool, recordLog().log, AbortSignal.timeout(50));
  expect(await hasNeededSchema(pool)).toBe(false);
});
