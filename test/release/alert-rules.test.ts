import { describe, expect, it } from 'vitest';
import { runCommand } from '../../src/local/processes/run-command.ts';
import { MONITORING } from '../deploy/alert-rules.ts';
import { goTool, hasGo } from '../support/go.ts';

/** Newer than 0.305: those carry a `replace`, which `go install` refuses. */
const PROMTOOL = 'github.com/prometheus/prometheus/cmd/promtool@v0.316.0';
/** It is built once, which takes minutes. */
const BUILD_MS = 1_800_000;

describe.runIf(await hasGo())('the alert rules', () => {
  it.each([
    ['are rules', ['check', 'rules', 'rules.yaml']],
    ['fire when they should, and are silent in a healthy hour', ['test', 'rules', 'rules.test.yaml']],
  ])(
    '%s, says promtool',
    async (_, args) => {
      const result = await runCommand(await goTool(PROMTOOL), args, { cwd: MONITORING });
      expect(result, `${result.stdout}${result.stderr}`).toMatchObject({ ok: true });
    },
    BUILD_MS,
  );
});
