import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MIGRATIONS } from './support.ts';

/** The last one that was written before these rules; it stays as it is. */
const BEFORE = '20261129000400_corrections_and_erasure';

/** What is wrong with a migration for a database that has its leads already, and is in use. */
function faultsOf(sql: string): string[] {
  const text = sql.replaceAll(/^\s*--.*$/gm, '').replaceAll(/\$(\w*)\$[\s\S]*?\$\1\$/g, "''");
  const statements = text.split(';').filter((statement) => statement.trim() !== '');
  const created = new Set([...text.matchAll(/CREATE TABLE "?(\w+)"?/gi)].map(([, table]) => table));
  const faults: string[] = [];
  for (const [, concurrently, name, table] of text.matchAll(
    /CREATE (?:UNIQUE )?INDEX (CONCURRENTLY )?"?(\w+)"? ON "?(\w+)"?/gi,
  )) {
    if (created.has(table)) continue;
    if (concurrently === undefined) faults.push(`${name}: CREATE INDEX CONCURRENTLY, ${table} may be large`);
    else if (statements.length > 1) faults.push(`${name}: alone in a migration, else it is in a transaction`);
  }
  const alone = statements.length === 1 && /CONCURRENTLY/i.test(text);
  if (!alone && !/SET lock_timeout/i.test(text)) faults.push('SET lock_timeout: a lock that is waited for stops all');
  return faults;
}

describe('a migration', () => {
  it('keeps nobody from writing for long', async () => {
    const names = (await readdir(MIGRATIONS)).filter((name) => /^\d+_/.test(name)).sort();
    expect(names).toContain(BEFORE);
    for (const name of names.filter((other) => other > BEFORE)) {
      expect(faultsOf(await readFile(join(MIGRATIONS, name, 'migration.sql'), 'utf8')), name).toEqual([]);
    }
  });

  const LOCK = "SET lock_timeout = '5s';\n";
  it.each([
    ['a column', `${LOCK}ALTER TABLE lead ADD COLUMN x text;`, []],
    ['an index of its own table', `${LOCK}CREATE TABLE "a" (b int);\nCREATE INDEX "a_b_idx" ON "a"("b");`, []],
    ['an index alone', '-- Lists by locale.\nCREATE INDEX CONCURRENTLY "l_idx" ON "lead"("locale");', []],
    ['no lock_timeout', 'ALTER TABLE lead ADD COLUMN x text;', ['SET lock_timeout']],
    ['an index that locks', `${LOCK}CREATE INDEX "l_idx" ON "lead"("locale");`, ['l_idx: CREATE INDEX CONCURRENTLY']],
    [
      'an index in company',
      `${LOCK}ALTER TABLE lead ADD COLUMN x text;\nCREATE UNIQUE INDEX CONCURRENTLY l_idx ON lead(x);`,
      ['l_idx: alone'],
    ],
  ])('with %s is judged', (_, sql, expected) => {
    expect(faultsOf(sql).map((fault, index) => fault.startsWith(expected[index] ?? '-'))).toEqual(
      expected.map(() => true),
    );
  });
});
