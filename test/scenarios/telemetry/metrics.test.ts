import { describe, expect } from 'vitest';
import { freePort } from '../../../src/local/ports.ts';
import { TASK_QUEUES } from '../../../workflows/contract.ts';
import { metricsIn, readAlertRules, readPanels } from '../../deploy/monitoring.ts';
import { newLead } from '../../support/api.ts';
import { seriesOf } from '../../support/metrics.ts';
import { test } from '../../support/onboarding.ts';
import { startProcess } from '../../support/processes.ts';

const QUEUES = Object.values(TASK_QUEUES).flatMap((queue) => ['--task-queue', queue]);

/** API, relay and a worker of all queues, each with a port for its metrics. */
async function startMeasured(databaseUrl: string) {
  const start = async (entry: 'api' | 'relay' | 'worker', args: string[] = []) => {
    const port = await freePort();
    const process = await startProcess(entry, { DATABASE_URL: databaseUrl, METRICS_PORT: String(port) }, args);
    await expect.poll(async () => (await process.readyz()).status).toBe(200);
    const text = async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    return { ...process, text, series: async () => seriesOf(await text()) };
  };
  return { api: await start('api'), relay: await start('relay'), worker: await start('worker', QUEUES) };
}

describe('the metrics of a running stack', () => {
  test('move with the seed’s lead, step by step, and name nobody', async ({ database }) => {
    const { api, relay, worker } = await startMeasured(database.url);
    const headers = { 'content-type': 'application/json' };
    const lead = newLead();
    const taken = await fetch(`${api.url}/api/leads`, { method: 'POST', headers, body: JSON.stringify(lead) });
    const { id } = (await taken.json()) as { id: string };

    const ended = 'lead_onboardings_ended_total{state="COMPLETED"}';
    await expect.poll(async () => (await worker.series()).get(ended)).toBe(1);
    const ofWorker = await worker.series();
    for (const step of ['notifyAssignee', 'enrichLead', 'scoreLead']) {
      const labels = `{step="${step}",outcome="completed"}`;
      expect(ofWorker.get(`lead_step_duration_seconds_count${labels}`), step).toBe(1);
      expect(ofWorker.get(`lead_step_attempts_sum${labels}`), step).toBeGreaterThanOrEqual(1);
    }
    for (const milestone of ['notified', 'enriched', 'scored']) {
      const series = `lead_onboarding_latency_seconds_count{milestone="${milestone}"}`;
      expect(ofWorker.get(series), milestone).toBe(1);
    }
    const waits = [...ofWorker.keys()].filter((name) =>
      name.startsWith('temporal_activity_schedule_to_start_latency_seconds_bucket'),
    );
    expect(waits.filter((name) => name.includes('le="0.2"'))).not.toEqual([]);
    expect(ofWorker.get('lead_enrichment_lookup_duration_seconds_count{provider="email",answer="found"}')).toBe(1);

    expect(ofWorker.get('lead_attempts_dropped_total{reason="full"}')).toBe(0);
    expect(ofWorker.get('lead_db_pool_max_connections{pool="worker:attempts"}')).toBe(1);

    const posts = 'lead_http_request_duration_seconds_count{method="POST",route="/api/leads",status="201"}';
    expect((await api.series()).get(posts)).toBe(1);
    expect((await api.series()).get('lead_db_pool_max_connections{pool="api"}')).toBe(10);
    expect((await fetch(`${api.url}/metrics`)).status).toBe(404);

    const readAt = 'lead_statistics_last_read_timestamp_seconds';
    await expect.poll(async () => (await relay.series()).get(readAt)).toBeGreaterThan(0);
    const pending = 'lead_outbox_orders{kind="START_ONBOARDING",status="pending"}';
    await expect.poll(async () => (await relay.series()).get(pending)).toBe(0);
    const pollers = 'lead_task_queue_pollers{task_queue="lead"}';
    await expect.poll(async () => (await relay.series()).get(pollers)).toBeGreaterThanOrEqual(1);
    const ofRelay = await relay.series();
    expect(ofRelay.get('lead_reconciler_verdicts_total{verdict="ordered_again"}')).toBe(0);

    const all = (await Promise.all([api, relay, worker].map((part) => part.text()))).join('\n');
    const there = new Set([...seriesOf(all).keys()].map((series) => series.replace(/\{.*/, '')));
    const charts = (await readPanels()).flatMap(({ targets = [] }) => targets);
    const read = new Set([...(await readAlertRules()), ...charts].flatMap(metricsIn));
    expect(read.size).toBeGreaterThan(20);
    // No source has been asked, so that none has a circuit or a budget yet; test/statistics/gauges.test.ts shows them.
    const absent = [...read].filter((name) => !there.has(name)).toSorted();
    expect(absent).toEqual(['lead_enrichment_budget_used', 'lead_enrichment_circuit_open']);
    for (const person of [id, lead.email, lead.name, lead.organizationId]) expect(all).not.toContain(person);
  });

  test('are not there without METRICS_PORT', async ({ database }) => {
    const api = await startProcess('api', { DATABASE_URL: database.url });
    await expect.poll(async () => (await api.readyz()).status).toBe(200);
    expect((await fetch(`${api.url}/metrics`)).status).toBe(404);
  });
});
