import { randomUUID } from 'node:crypto';
import { describe, expect } from 'vitest';
import { freePort } from '../../../src/local/ports.ts';
import { TASK_QUEUES } from '../../../workflows/contract.ts';
import { SEED_LEAD, test } from '../../support/onboarding.ts';
import { type ReceivedSpan, startCollector } from '../../support/otlp-collector.ts';
import { startProcess } from '../../support/processes.ts';

const QUEUES = Object.values(TASK_QUEUES).flatMap((queue) => ['--task-queue', queue]);

describe('with a collector', () => {
  test('a lead that was taken in while Temporal was away is one trace, from its request to its score', async ({
    database,
  }) => {
    const collector = await startCollector();
    const settings = {
      DATABASE_URL: database.url,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_BSP_SCHEDULE_DELAY: '200',
    };
    const away = { ...settings, TEMPORAL_ADDRESS: `127.0.0.1:${await freePort()}`, LOG_LEVEL: 'debug' };
    const api = await startProcess('api', away);
    await expect.poll(async () => (await api.readyz()).status).toBe(200);
    const person = { name: 'Iracema Hidden', email: `${randomUUID()}@hidden.example`, phone: '+55 11 98765-4321' };
    const [traceId, callersSpan] = [randomUUID().replaceAll('-', ''), 'b7ad6b7169203331'];
    const answer = await fetch(`${api.url}/api/leads`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', traceparent: `00-${traceId}-${callersSpan}-01` },
      body: JSON.stringify({ ...SEED_LEAD, ...person }),
    });
    expect(answer.status).toBe(201);
    const { id: leadId } = (await answer.json()) as { id: string };
    await expect.poll(() => api.log().some(({ msg }) => msg === 'order deferred')).toBe(true);

    const relay = await startProcess('relay', settings);
    const worker = await startProcess('worker', settings, QUEUES);
    const state = async () => (await database.prisma.onboarding.findUnique({ where: { leadId } }))?.state;
    await expect.poll(state).toBe('COMPLETED');

    const ofTrace = () => collector.spans.filter((span) => span.traceId === traceId);
    const find = (name: string) => ofTrace().filter((span) => span.name === name);
    await expect.poll(() => find('scoreLead')).toHaveLength(1);
    const [request] = find('POST /api/leads');
    expect(request).toMatchObject({
      service: 'lead-onboarding-api',
      parentSpanId: callersSpan,
      attributes: { 'http.request.method': 'POST', 'http.route': '/api/leads', 'http.response.status_code': 201 },
    });
    const carried = find('carry out START_ONBOARDING');
    expect(carried.map(({ service, status }) => [service, status?.code])).toEqual(
      expect.arrayContaining([
        ['lead-onboarding-api', 2], // an error: Temporal was away
        ['lead-onboarding-relay', 0],
      ]),
    );
    for (const name of ['carry out START_ONBOARDING', 'notifyAssignee', 'enrichLead', 'scoreLead'])
      for (const span of find(name)) {
        expect(span).toMatchObject({ parentSpanId: request?.spanId, attributes: { 'lead.id': leadId } });
        expect(span.links).toMatchObject([{ traceId, spanId: request?.spanId }]);
      }
    expect(find('scoreLead')[0]).toMatchObject({
      service: 'lead-onboarding-worker',
      attributes: { 'temporal.workflow.id': `lead-onboarding-${leadId}`, 'temporal.activity.attempt': 1 },
    });
    const inside = (outer: ReceivedSpan | undefined) => ofTrace().filter((span) => span.parentSpanId === outer?.spanId);
    for (const outer of [request, ...find('notifyAssignee'), ...find('scoreLead')])
      expect(inside(outer).filter((span) => span.attributes['db.system.name'] === 'postgresql')).not.toEqual([]);
    // Each is there once, and hangs on another, but for the caller's own.
    expect(new Set(ofTrace().map(({ spanId }) => spanId)).size).toBe(ofTrace().length);
    const known = new Set([callersSpan, ...ofTrace().map(({ spanId }) => spanId)]);
    expect(ofTrace().filter(({ parentSpanId = '' }) => !known.has(parentSpanId))).toEqual([]);

    const lines = [...api.log(), ...worker.log()].filter((line) => line['leadId'] === leadId);
    expect(lines.length).toBeGreaterThan(4);
    for (const line of lines) expect(line).toMatchObject({ traceId });
    expect(JSON.stringify(collector.spans)).not.toMatch(/Iracema|hidden|98765-?4321/i);
    for (const process of [api, relay, worker]) {
      process.kill('SIGTERM');
      expect(await process.exited).toEqual([0, null]);
    }
  });

  test('that is away, nothing is slower or lost, and a process ends all the same', async ({ database }) => {
    const settings = {
      DATABASE_URL: database.url,
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}`,
      OTEL_BSP_SCHEDULE_DELAY: '100',
    };
    const api = await startProcess('api', settings);
    await expect.poll(async () => (await api.readyz()).status).toBe(200);
    const lead = { ...SEED_LEAD, email: `${randomUUID()}@example.com` };
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${api.url}/api/leads`, { method: 'POST', headers, body: JSON.stringify(lead) });
    expect(answer.status).toBe(201);
    await expect.poll(() => api.log().some(({ msg }) => msg === 'spans not sent')).toBe(true);
    api.kill('SIGTERM');
    expect(await api.exited).toEqual([0, null]);
  });
});
