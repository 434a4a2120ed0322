import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DeterminismViolationError } from '@temporalio/workflow';
import { describe, expect, it } from 'vitest';
import { HISTORIES } from '../support/histories.ts';
import { replayHistory } from '../support/replay-history.ts';

const files = (await readdir(HISTORIES, { recursive: true })).filter((file) => file.endsWith('.json'));

async function replayFile(file: string, change: (history: string) => string = (history) => history): Promise<void> {
  const history = JSON.parse(change(await readFile(join(HISTORIES, file), 'utf8'))) as unknown;
  await replayHistory(history, basename(file));
}

describe('runs of earlier releases', () => {
  it('are there', () => {
    expect(files.length).toBeGreaterThan(10);
  });

  it.each(files)('replays %s', async (file) => {
    await replayFile(file);
  });

  it('would be caught if the code decided otherwise', async () => {
    for (const [scenario, step] of [
      ['notifies-at-once', 'notifyAssignee'],
      ['waits-while-it-is-paused', 'rescorePage'],
    ] as const) {
      const file = files.find((name) => name.includes(scenario)) ?? '';
      const otherwise = (history: string) => history.replaceAll(`"${step}"`, '"somethingElse"');
      await expect(replayFile(file, otherwise), step).rejects.toThrow(DeterminismViolationError);
    }
  });
});
