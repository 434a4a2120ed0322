import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { describe, expect, it } from 'vitest';
import { readEnvironment } from '../../src/process/environment.ts';
import { projectRoot } from '../../src/local/project-root.ts';
import { composeVariables } from './compose.ts';
import { envconfigVariables, environmentVariables } from './variables.ts';

const ROOT = projectRoot();
const text = await readFile(join(ROOT, '.env.example'), 'utf8');
const entries = Array.from(text.matchAll(/^(# )?([A-Z_]+\*?)=(.*)$/gm), ([, comment, name = '', value = '']) => ({
  name,
  value,
  isSet: comment === undefined,
}));

describe('.env.example', () => {
  it('names every variable that something reads, once, and no other', async () => {
    const read = await Promise.all(environmentVariables.map(async (name) => ((await isUsed(name)) ? [name] : [])));
    const all = new Set([...read.flat(), ...(await envconfigVariables()), ...(await composeVariables())]);
    expect(entries.map(({ name }) => name).toSorted()).toEqual([...all].toSorted());
  });

  it('has the default of each', async () => {
    const compose = await readFile(join(ROOT, 'docker-compose.yml'), 'utf8');
    const defaults: Record<string, unknown> = readEnvironment({});
    for (const { name, value } of entries) {
      const [, inCompose] = new RegExp(`\\$\\{${name}:-([^{}]*)\\}`).exec(compose) ?? [];
      const known = name in defaults ? defaults[name] : environmentVariables.includes(name) ? '' : (inCompose ?? '');
      expect(value, name).toBe(String(known));
    }
  });

  it('changes nothing when it is copied as it is', () => {
    expect(readEnvironment(parseEnv(text))).toEqual(readEnvironment({}));
    expect(entries.filter(({ value, isSet }) => value === '' && isSet)).toEqual([]);
  });

  it('says what each is for', () => {
    const lines = text.split('\n');
    for (const { name } of entries) {
      const index = lines.findIndex((line) => line.replace('# ', '').startsWith(`${name}=`));
      expect(lines[index - 1], name).toMatch(/^# (?![A-Z_*]+=)/);
    }
  });
});

/** Whether any source names it, but for the one that declares it. */
async function isUsed(name: string): Promise<boolean> {
  const files = await readdir(join(ROOT, 'src'), { recursive: true });
  const sources = files.filter(
    (file) => file.endsWith('.ts') && file !== 'environment.ts' && !file.includes('generated'),
  );
  for (const file of sources) {
    if (new RegExp(`\\b${name}\\b`).test(await readFile(join(ROOT, 'src', file), 'utf8'))) return true;
  }
  return false;
}
