import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { projectRoot } from '../../src/local/project-root.ts';

/** Where the alert rules for Prometheus are, and their unit tests. */
export const MONITORING = join(projectRoot(), 'deploy/monitoring');

export interface AlertRule {
  alert: string;
  expr: string;
  labels: { severity: string };
}

interface RuleTest {
  alert_rule_test: { alertname: string; exp_alerts: unknown[] }[];
}

const read = async (file: string) => parse(await readFile(join(MONITORING, file), 'utf8')) as unknown;

export async function readAlertRules(): Promise<AlertRule[]> {
  const { groups } = (await read('rules.yaml')) as { groups: { rules: AlertRule[] }[] };
  return groups.flatMap(({ rules }) => rules);
}

export async function readRuleTests(): Promise<RuleTest['alert_rule_test']> {
  const { tests } = (await read('rules.test.yaml')) as { tests: RuleTest[] };
  return tests.flatMap((test) => test.alert_rule_test);
}

/** The metrics that a rule reads, as it spells them. */
export const metricsIn = ({ expr }: AlertRule): string[] => [...new Set(expr.match(/\b(lead|temporal)_[a-z_]+/g))];
