import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { inboxId } from '../../src/notifications/inbox-id.ts';
import { MIGRATIONS, query, unborn } from './support.ts';
import { connectionStringOf } from '../../src/local/postgres/postgres.ts';

const NUMBERS = '20261124000400_inbox_number';

it('numbers the notifications that are there already as they were listed, and goes on from there', async () => {
  await using database = unborn();
  const { port, pathname } = new URL(database.url);
  await query(connectionStringOf(Number(port)), `CREATE DATABASE ${pathname.slice(1)}`);
  const migrations = (await readdir(MIGRATIONS)).filter((name) => /^\d/.test(name)).sort();
  const apply = async (name: string) =>
    query(database.url, await readFile(join(MIGRATIONS, name, 'migration.sql'), 'utf8'));
  for (const name of migrations.filter((other) => other < NUMBERS)) await apply(name);

  const lead = '01a20ab0-4317-747b-b291-bb576de0a101';
  await query(database.url, `INSERT INTO lead (id, organization_id, name) VALUES ('${lead}', 'org-1', 'Ana')`);
  const insert = (assignment: number, user: string, at: string) =>
    query(
      database.url,
      `INSERT INTO notification (id, organization_id, lead_id, user_id, assignment, title, message, action_url, created_at)
       VALUES (gen_random_uuid(), 'org-1', '${lead}', '${user}', ${assignment}, '', '', '', '2026-11-24 ${at}Z')`,
    );
  await insert(1, 'José 🙂', '12:00:02');
  await insert(2, 'José 🙂', '12:00:01');
  await insert(3, 'user-2', '12:00:00');

  await apply(NUMBERS);
  await insert(4, 'José 🙂', '12:00:00');
  expect(
    await query(database.url, 'SELECT user_id AS user, assignment, number FROM notification ORDER BY 1, 3'),
  ).toEqual([
    { user: 'José 🙂', assignment: 2, number: 1 },
    { user: 'José 🙂', assignment: 1, number: 2 },
    { user: 'José 🙂', assignment: 4, number: 3 },
    { user: 'user-2', assignment: 3, number: 1 },
  ]);
  const inboxes = [
    { id: inboxId({ organizationId: 'org-1', userId: 'José 🙂' }), last: 3 },
    { id: inboxId({ organizationId: 'org-1', userId: 'user-2' }), last: 1 },
  ];
  expect(await query(database.url, 'SELECT id, last_number AS last FROM inbox ORDER BY 2 DESC')).toEqual(inboxes);
});
