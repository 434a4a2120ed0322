import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { isAlive, makeServerPart, makeTempDir } from '../support/parts.ts';

it('ends the parts of a supervisor that is killed', async () => {
  const folder = await makeTempDir();
  const part = await makeServerPart(folder, 'orphan');
  const launchModule = new URL('../../../src/local/processes/launch.ts', import.meta.url);
  const script = join(folder, 'parent.mjs');
  await writeFile(
    script,
    `import { launch } from ${JSON.stringify(launchModule.href)};
     console.log(launch(${JSON.stringify(part)}).pid);`,
  );
  const parent = spawn(process.execPath, ['--import', 'tsx', script], {
    cwd: process.cwd(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [written] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(written.toString());
  expect(isAlive(pid)).toBe(true);
  parent.kill('SIGKILL');
  await expect.poll(() => isAlive(pid)).toBe(false);
});
