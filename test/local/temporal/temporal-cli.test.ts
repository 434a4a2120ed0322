import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { resolveTemporalCli } from '../../../src/local/temporal/temporal-cli.ts';
import { CLI_VERSION, SQLITE_VERSION } from '../../../src/local/temporal/temporal-cli-way.ts';
import { makeTempDir } from '../support/parts.ts';

const GOOD = 'temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)';

/** A program that says one line and ends with a code. */
async function makeProgram(folder: string, name: string, says: string, code = 0): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\necho '${says}'\nexit ${code}\n`);
  await chmod(path, 0o755);
  return path;
}

/** An environment of its own, whose network leads nowhere. */
async function makeEnv(...folders: string[]) {
  const cache = await makeTempDir();
  const nowhere = 'http://127.0.0.1:9';
  const env = { PATH: folders.join(delimiter), XDG_CACHE_HOME: cache, HTTPS_PROXY: nowhere, HTTP_PROXY: nowhere };
  return { env, cache: join(cache, 'lead-onboarding') };
}

async function resolve(env: NodeJS.ProcessEnv) {
  const said: string[] = [];
  const outcome = await resolveTemporalCli({ env, onProgress: (line) => said.push(line) }).catch(
    (error: unknown) => error as Error,
  );
  return { outcome, said };
}

describe('Temporal CLI', () => {
  it('is taken from the PATH', async () => {
    const folder = await makeTempDir();
    const path = await makeProgram(folder, 'temporal', GOOD);
    const { env } = await makeEnv('/does/not/exist', folder);
    expect(await resolve(env)).toEqual({ outcome: { path, server: '1.29' }, said: [] });
  });

  it('built from source, which calls itself 0.0.0-DEV, is judged by its server', async () => {
    const folder = await makeTempDir();
    const path = await makeProgram(folder, 'temporal', 'temporal version 0.0.0-DEV (Server 1.30.0, UI 2.42.1)');
    expect((await resolve((await makeEnv(folder)).env)).outcome).toEqual({ path, server: '1.30' });
  });

  it('passes over older ones and programs of the same name, and names them', async () => {
    const folder = await makeTempDir();
    const old = await makeProgram(join(folder, 'old'), 'temporal', 'temporal version 1.1.0 (Server 1.25.0, UI 2.30.0)');
    const other = await makeProgram(join(folder, 'other'), 'temporal', 'temporal 2.3 - a calendar');
    const failing = await makeProgram(join(folder, 'failing'), 'temporal', 'usage', 2);
    const good = await makeProgram(join(folder, 'good'), 'temporal', GOOD);
    const { env } = await makeEnv(...['old', 'other', 'failing', 'good'].map((name) => join(folder, name)));
    const { outcome, said } = await resolve(env);
    expect(outcome).toMatchObject({ path: good });
    expect(said).toEqual([
      `${old} is too old (temporal version 1.1.0 (Server 1.25.0, UI 2.30.0); server 1.29 needed): looking for another one`,
      `${other} is another program than the Temporal CLI: looking for another one`,
      `${failing} is not the Temporal CLI (--version: exit code 2): looking for another one`,
    ]);
  });

  it('is taken from the cache that an earlier start filled', async () => {
    const { env, cache } = await makeEnv();
    const path = await makeProgram(
      join(cache, `temporal-cli-${CLI_VERSION}-sqlite-${SQLITE_VERSION}`),
      'temporal',
      GOOD,
    );
    expect((await resolve(env)).outcome).toMatchObject({ path });
  });

  it('is built with Go when it cannot be downloaded, once for all who ask', async () => {
    const folder = await makeTempDir();
    const calls = join(folder, 'calls');
    const go = `#!/bin/sh\necho call >> ${calls}\n/bin/sleep 0.3\nprintf '#!/bin/sh\\necho "${GOOD}"\\n' > "$GOBIN/temporal"\n`;
    await writeFile(join(folder, 'go'), go);
    await chmod(join(folder, 'go'), 0o755);
    const { env, cache } = await makeEnv(folder);
    const path = join(cache, `temporal-cli-${CLI_VERSION}-sqlite-${SQLITE_VERSION}`, 'temporal');
    const both = await Promise.all([resolve(env), resolve(env)]);
    expect(both.map(({ outcome }) => outcome)).toEqual([
      { path, server: '1.29' },
      { path, server: '1.29' },
    ]);
    const { readFile } = await import('node:fs/promises');
    expect(await readFile(calls, 'utf8')).toBe('call\n');
  }, 30_000);

  it('that cannot be had by any way is one line with all three', async () => {
    const folder = await makeTempDir();
    const old = await makeProgram(folder, 'temporal', 'temporal version 1.1.0 (Server 1.25.0, UI 2.30.0)');
    const { outcome } = await resolve((await makeEnv(folder)).env);
    expect(outcome).toMatchObject({ name: 'StartError' });
    const { message } = outcome as Error;
    expect(message).toContain(`${old} is too old`);
    expect(message).toContain('no download (temporal.download is out of reach)');
    expect(message).toContain('no build with Go (go is not installed)');
    expect(message).toContain('put temporal 1.5 or newer on the PATH, allow HTTPS to temporal.download, or install Go');
    expect(message).not.toContain('\n');
  }, 30_000);
});
