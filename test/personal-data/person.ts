import { randomBytes, randomInt } from 'node:crypto';
import type { TestDatabase } from '../support/database.ts';

/** Somebody whose every trace can be found again. */
export function createPerson() {
  const token = `canary${randomBytes(5).toString('hex')}`;
  const number = `9${randomInt(1_000, 9_999)}-${randomInt(1_000, 9_999)}`;
  const lead = {
    organizationId: 'org-123',
    name: `Zulmira ${token}`,
    email: `Zulmira.${token}@example.com`,
    phone: `+55 11 ${number}`,
    company: `${token} Ltda`,
    assignedTo: 'user-456',
    attributes: { [`${token} asks`]: { about: [`${token} and her order`] } },
  };
  return { lead, token, traces: [token, number, `5511${number.replace('-', '')}`] };
}

export type Person = ReturnType<typeof createPerson>;

/** @returns the traces that a text has, in whatever case */
export const tracesIn = (text: string, { traces }: Person) =>
  traces.filter((trace) => text.toLowerCase().includes(trace.toLowerCase()));

/** @returns the tables that have a trace, in any column */
export async function tablesWithTraces({ pool }: Pick<TestDatabase, 'pool'>, person: Person): Promise<string[]> {
  const { rows: tables } = await pool.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1`,
  );
  const found: string[] = [];
  for (const { name } of tables) {
    const { rows } = await pool.query<{ text: string }>(`SELECT t::text AS text FROM ${name} t`);
    if (rows.some(({ text }) => tracesIn(text, person).length > 0)) found.push(name);
  }
  return found;
}
