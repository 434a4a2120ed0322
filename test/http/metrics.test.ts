import { Registry } from 'prom-client';
import { describe, expect, onTestFinished } from 'vitest';
import { createTestApi, newLead, testWithoutStarts as test } from '../support/api.ts';
import type { TestDatabase } from '../support/database.ts';
import { seriesOf } from '../support/metrics.ts';

const NAME = 'lead_http_request_duration_seconds';

function createMeasuredApi(database: TestDatabase) {
  const metrics = new Registry();
  const api = createTestApi(database, { slots: 0, metrics });
  onTestFinished(() => api.close());
  return { ...api, series: async () => seriesOf(await metrics.metrics()) };
}

describe('requests', () => {
  test('are measured by method, route and status', async ({ database }) => {
    const { call, series } = createMeasuredApi(database);
    const { body } = await call<{ id: string }>('POST', '/api/leads', newLead());
    await call('POST', '/api/leads', { name: '' });
    await call('GET', `/api/leads/${body.id}`);
    await call('GET', `/api/leads/${body.id}/timeline`);
    const found = [...(await series())].filter(([name]) => name.startsWith(`${NAME}_count`));
    expect(found.toSorted()).toEqual([
      [`${NAME}_count{method="GET",route="/api/leads/:id",status="200"}`, 1],
      [`${NAME}_count{method="GET",route="/api/leads/:id/timeline",status="200"}`, 1],
      [`${NAME}_count{method="POST",route="/api/leads",status="201"}`, 1],
      [`${NAME}_count{method="POST",route="/api/leads",status="400"}`, 1],
    ]);
  });

  test('with a path or method that nobody serves add no label of their own', async ({ database }) => {
    const { call, series } = createMeasuredApi(database);
    const hostile = ['/api/leads/a/b/c', '/joao@example.com', '/api/leads/%00', '/x"} 1\nlead_evil 1', '/api/Leads/'];
    for (const path of hostile) await call('GET', path);
    await call('PROPFIND', '/joao');
    const text = [...(await series()).keys()].join('\n');
    for (const part of ['joao', 'evil', 'PROPFIND', '/a/b/c', '%00', 'Leads']) expect(text).not.toContain(part);
    const routes = new Set(Array.from(text.matchAll(/route="([^"]*)"/g), ([, route]) => route));
    for (const route of routes) expect(['/*', '/api/*', '/api/leads/:id']).toContain(route);
    expect(text).toContain('method="other"');
  });
});
