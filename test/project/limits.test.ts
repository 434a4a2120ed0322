import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, describe, it } from 'vitest';
import { projectRoot } from '../../src/local/project-root.ts';

const UNITS: Record<string, number> = { s: 1_000, min: 60_000, h: 3_600_000, KiB: 1_024, MiB: 1_024 ** 2 };
const NUMBERS = /\d[\d_]*(?:\.\d+)?(?: \* \d[\d_]*)*/g;

const read = (file: string) => readFileSync(join(projectRoot(), file), 'utf8');

/** `| part | what | value | `file` `constant` |`; in place of a constant stands a piece of the code. */
const LIMITS = Array.from(
  read('docs/limits.md').matchAll(/^\|[^|]*\| ([^|]+?) +\| ([^|]+?) +\| `([^`]+)` `([^`]+)` +\|$/gm),
  ([, what = '', value = '', file = '', code = '']) => ({ what, value, file, code }),
);

/** `3.2 s` → 3200, `64 KiB` → 65536, `1,000` and `200 characters` → their number. */
function toNumber(value: string): number {
  const [, digits = '', unit = ''] = /^([\d.,]+) ?(\w*)$/.exec(value) ?? [];
  return Math.round(Number(digits.replaceAll(',', '')) * (UNITS[unit] ?? 1) * 1e6) / 1e6;
}

/** What is assigned to a constant: numbers and other constants of the file, multiplied, added and subtracted. */
function valueOf(name: string, source: string): number {
  const [, text] = new RegExp(`^(?:export )?const ${name} = ([^;]+);`, 'm').exec(source) ?? [];
  if (text === undefined) return NaN;
  const product = (factors: string) =>
    factors
      .split(' * ')
      .reduce((sum, factor) => sum * (/^\d/.test(factor) ? plain(factor) : valueOf(factor, source)), 1);
  const [first = '', ...rest] = text.split(/ (?=[+-] )/);
  return rest.reduce((sum, part) => sum + (part.startsWith('-') ? -1 : 1) * product(part.slice(2)), product(first));
}

const plain = (digits: string) => Number(digits.replaceAll('_', ''));

/** Numbers that a piece of code has, and what they are in milliseconds where it says so. */
function numbersIn(code: string): number[] {
  const unit = /seconds?'/.test(code) ? 1_000 : /minutes?'/.test(code) ? 60_000 : 1;
  return (code.match(NUMBERS) ?? []).map((text) => unit * text.split(' * ').reduce((all, n) => all * plain(n), 1));
}

describe('docs/limits.md', () => {
  it('has the limits of all rooms', () => {
    expect(LIMITS.length).toBeGreaterThan(100);
    expect(LIMITS.filter(({ file }) => !existsSync(join(projectRoot(), file)))).toEqual([]);
  });

  it.each(LIMITS)('$what: $value, as in $file', ({ value, file, code }) => {
    const source = read(file);
    if (/^[A-Z_]+$/.test(code)) {
      expect(valueOf(code, source)).toBe(toNumber(value));
      return;
    }
    expect(source).toContain(code);
    if (value === 'half') expect(code).toMatch(/ \/ 2$/);
    else expect(numbersIn(code)).toContain(toNumber(value));
  });

  it('has every MAX_… that there is', () => {
    const files = ['src', 'workflows', 'activities'].flatMap((folder) =>
      readdirSync(join(projectRoot(), folder), { recursive: true, encoding: 'utf8' }).map(
        (file) => `${folder}/${file}`,
      ),
    );
    const own = files.filter((file) => file.endsWith('.ts') && !/src\/(local|db\/generated)\//.test(file));
    const found = own.flatMap((file) =>
      Array.from(read(file).matchAll(/^(?:export )?const (MAX_\w+) = [\d(]/gm), ([, name]) => `${file} ${name}`),
    );
    const listed = LIMITS.map(({ file, code }) => `${file} ${code}`);
    expect(found.filter((limit) => !listed.includes(limit))).toEqual([]);
  });
});
