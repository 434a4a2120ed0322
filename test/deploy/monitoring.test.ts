import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/local/project-root.ts';
import { environmentOf, ownServices, readCompose } from './compose.ts';
import {
  metricsIn,
  readAlertRules,
  readPanels,
  readPrometheus,
  readProvisioning,
  readRuleTests,
} from './monitoring.ts';

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

describe('the profile `monitoring` of the compose file', async () => {
  const compose = await readCompose();
  const { prometheus, grafana } = compose.services;
  const mountOf = (mounts: string[] | undefined, inside: string) =>
    mounts?.map((mount) => mount.split(':')).find(([, path]) => path === inside)?.[0];

  it('asks every process where it serves its metrics', async () => {
    const { scrape_configs } = await readPrometheus();
    const asked = scrape_configs.flatMap(({ dns_sd_configs }) => dns_sd_configs);
    const unmeasured = ['migrate', 'board'];
    const running = ownServices(compose).filter(([name]) => !unmeasured.includes(name));
    expect(asked.flatMap(({ names: services }) => services).toSorted()).toEqual(
      running.map(([name]) => name).toSorted(),
    );
    for (const [name, definition] of running) {
      expect(environmentOf(definition), name).toMatchObject({ HOST: '0.0.0.0', METRICS_PORT: String(asked[0]?.port) });
      expect(
        definition.networks?.some((network) => prometheus?.networks?.includes(network)),
        name,
      ).toBe(true);
    }
  });

  it('has the rules where its configuration looks for them', async () => {
    const [rules = ''] = (await readPrometheus()).rule_files;
    expect(mountOf(prometheus?.volumes, `/etc/prometheus/${rules}`)).toBe(`./deploy/monitoring/${rules}`);
    expect(mountOf(prometheus?.volumes, '/etc/prometheus/prometheus.yml')).toBe('./deploy/monitoring/prometheus.yaml');
  });

  it('gives Grafana the dashboard and the Prometheus that it reads', async () => {
    const { datasources, providers } = await readProvisioning();
    expect(mountOf(grafana?.volumes, '/etc/grafana/provisioning')).toBe('./deploy/monitoring/grafana/provisioning');
    expect(mountOf(grafana?.volumes, providers[0]?.options.path ?? '')).toBe('./deploy/monitoring/grafana/dashboards');
    expect(datasources.map(({ url }) => url)).toEqual(['http://prometheus:9090']);
    for (const { title, datasource } of await readPanels()) expect(datasource?.uid, title).toBe(datasources[0]?.uid);
  });

  it('runs for those only who ask for it', () => {
    const started = Object.entries(compose.services).filter(([, { profiles }]) => profiles !== undefined);
    expect(started.map(([name, { profiles }]) => [name, profiles])).toEqual([
      ['prometheus', ['monitoring']],
      ['grafana', ['monitoring']],
    ]);
  });
});

describe('the dashboard', () => {
  it('says of each chart what it shows, and reads metrics in each', async () => {
    const panels = await readPanels();
    expect(panels.length).toBeGreaterThan(20);
    for (const { title, description, targets = [] } of panels) {
      expect(description, title).toMatch(/\w/);
      expect(targets.flatMap(metricsIn).length, title).toBeGreaterThan(0);
    }
  });

  it('shows what every alert is about', async () => {
    const shown = new Set((await readPanels()).flatMap(({ targets = [] }) => targets.flatMap(metricsIn)));
    for (const rule of await readAlertRules()) {
      for (const metric of metricsIn(rule)) expect(shown.has(metric), `${rule.alert}: ${metric}`).toBe(true);
    }
  });
});
