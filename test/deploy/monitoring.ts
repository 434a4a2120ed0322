import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { projectRoot } from '../../src/local/project-root.ts';

/** Where the configuration of Prometheus and Grafana is, with the alert rules and their unit tests. */
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

/** The metrics that an expression reads, as it spells them. */
export const metricsIn = ({ expr }: { expr: string }): string[] => [
  ...new Set(expr.match(/\b(lead|temporal)_[a-z_]+/g)),
];

export interface Prometheus {
  rule_files: string[];
  scrape_configs: { dns_sd_configs: { names: string[]; port: number }[] }[];
}

export const readPrometheus = async () => (await read('prometheus.yaml')) as Prometheus;

export interface Panel {
  type: string;
  title: string;
  description?: string;
  datasource?: { uid: string };
  targets?: { expr: string }[];
}

export async function readPanels(): Promise<Panel[]> {
  const { panels } = (await read('grafana/dashboards/lead-onboarding.json')) as { panels: Panel[] };
  return panels.filter(({ type }) => type !== 'row');
}

/** What tells Grafana where its data is from, and where its dashboards are. */
export async function readProvisioning() {
  const sources = (await read('grafana/provisioning/datasources/prometheus.yaml')) as {
    datasources: { uid: string; url: string }[];
  };
  const folders = (await read('grafana/provisioning/dashboards/lead-onboarding.yaml')) as {
    providers: { options: { path: string } }[];
  };
  return { ...sources, ...folders };
}
