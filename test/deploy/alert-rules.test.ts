import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/local/project-root.ts';
import { readAlertRules, readRuleTests } from './alert-rules.ts';

const names = (await readAlertRules()).map(({ alert }) => alert);

describe('every alert', () => {
  it('has a line in docs/operations.md that says what to do, and no line is of another', async () => {
    const text = await readFile(join(projectRoot(), 'docs/operations.md'), 'utf8');
    const [, section = ''] = /^## Alerts\n(.*?)^## /ms.exec(text) ?? [];
    const lines = Array.from(section.matchAll(/^\| `(\w+)`/gm), ([, name]) => name);
    expect(lines).toEqual(names);
  });

  it('has unit tests in which it fires, and in which it is silent', async () => {
    const tests = await readRuleTests();
    for (const name of names) {
      const alerts = tests.filter(({ alertname }) => alertname === name).map(({ exp_alerts }) => exp_alerts.length);
      expect([Math.min(...alerts), Math.max(...alerts)], name).toEqual([0, 1]);
    }
    expect(tests.filter(({ alertname }) => !names.includes(alertname))).toEqual([]);
  });

  it('waits for the morning or does not', async () => {
    for (const { alert, labels } of await readAlertRules()) {
      expect(['page', 'ticket'], alert).toContain(labels.severity);
    }
  });
});
