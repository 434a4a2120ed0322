import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DeterminismViolationError } from '@temporalio/workflow';
import { expect, it } from 'vitest';
import { HISTORIES } from '../../../support/histories.ts';
import { bundleIncompatible } from '../../../support/incompatible-bundle.ts';
import { replayAgainst } from '../../../support/replay-history.ts';

it('an incompatible change of the onboarding is caught by every onboarding that was recorded', async () => {
  const replay = replayAgainst(await bundleIncompatible());
  const files = (await readdir(HISTORIES, { recursive: true })).filter((file) => file.endsWith('.json'));
  let onboardings = 0;
  for (const file of files) {
    const text = await readFile(join(HISTORIES, file), 'utf8');
    if (!/"workflowType": \{\s*"name": "leadOnboarding"/.test(text)) continue;
    onboardings += 1;
    await expect(replay(JSON.parse(text), basename(file)), file).rejects.toThrow(DeterminismViolationError);
  }
  expect(onboardings).toBeGreaterThan(10);
});
