import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { runCommand } from '../../src/local/processes/run-command.ts';
import { MONITORING, readPanels } from '../deploy/monitoring.ts';
import { goTool, hasGo } from '../support/go.ts';

/** Newer than 0.305: those carry a `replace`, which `go install` refuses. */
const PROMTOOL = 'github.com/prometheus/prometheus/cmd/promtool@v0.316.0';
/** It is built once, which takes minutes. */
const BUILD_MS = 1_800_000;

describe.runIf(await hasGo())('the alert rules', () => {
  it.each([
    ['are where the configuration of Prometheus has them', ['check', 'config', 'prometheus.yaml']],
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

describe.runIf(await hasGo())('the charts of the dashboard', () => {
  it(
    'ask what Prometheus understands, says promtool',
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'lead-onboarding-charts-'));
      onTestFinished(() => rm(folder, { recursive: true }));
      const asked = (await readPanels()).flatMap(({ targets = [] }) => targets);
      const rules = asked.map(({ expr }, index) => ({
        record: `chart_${index}`,
        expr: expr.replaceAll('$__rate_interval', '1m'), // as Grafana fills it in
      }));
      await writeFile(join(folder, 'charts.yaml'), stringify({ groups: [{ name: 'charts', rules }] }));
      const result = await runCommand(await goTool(PROMTOOL), ['check', 'rules', 'charts.yaml'], { cwd: folder });
      expect(result, `${result.stdout}${result.stderr}`).toMatchObject({ ok: true });
    },
    BUILD_MS,
  );
});
