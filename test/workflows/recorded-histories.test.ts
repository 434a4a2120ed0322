import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DeterminismViolationError } from '@temporalio/workflow';
import { describe, expect, it } from 'vitest';
import * as workflows from '../../workflows/index.ts';
import { HISTORIES } from '../support/histories.ts';
import { replayHistory } from '../support/replay-history.ts';

const files = (await readdir(HISTORIES, { recursive: true })).filter((file) => file.endsWith('.json'));

const readHistory = (file: string) => readFile(join(HISTORIES, file), 'utf8');

async function replayFile(file: string, change: (history: string) => string = (history) => history): Promise<void> {
  const history = JSON.parse(change(await readHistory(file))) as unknown;
  await replayHistory(history, basename(file));
}

describe('runs of earlier releases', () => {
  it('are there, of each workflow', async () => {
    const types = files.map(
      async (file) => /"workflowType":\s*{\s*"name":\s*"(\w+)"/.exec(await readHistory(file))?.[1],
    );
    expect(new Set(await Promise.all(types))).toEqual(new Set(Object.keys(workflows)));
  });

  it.each(files)('replays %s', async (file) => {
    await replayFile(file);
  });

  it('would be caught if the code decided otherwise', async () => {
    for (const [scenario, step] of [
      ['notifies-at-once', 'notifyAssignee'],
      ['v0.2.0/waits-while-it-is-paused', 'rescorePage'],
      ['retryLeads-waits-while-it-is-paused', 'retryPage'],
      ['webhookDelivery-waits', 'deliverEvents'],
    ] as const) {
      const file = files.find((name) => name.includes(scenario)) ?? '';
      const otherwise = (history: string) => history.replaceAll(`"${step}"`, '"somethingElse"');
      await expect(replayFile(file, otherwise), step).rejects.toThrow(DeterminismViolationError);
    }
  });
});
