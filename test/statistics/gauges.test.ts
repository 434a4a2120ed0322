import { randomUUID } from 'node:crypto';
import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { readDatabase } from '../../src/statistics/database.ts';
import { createGauges } from '../../src/statistics/gauges.ts';
import { seriesOf } from '../support/metrics.ts';
import { takeIn, test } from '../support/onboarding.ts';

function openGauges() {
  const registry = new Registry();
  return { gauges: createGauges(registry), series: async () => seriesOf(await registry.metrics()) };
}

test('what Postgres knows of work under way is shown, and no longer once it is gone', async ({ database }) => {
  const { pool, prisma } = database;
  const { gauges, series } = openGauges();
  const show = async () => {
    gauges.showDatabase(await readDatabase(pool));
    return series();
  };
  const [first, second] = [await takeIn(database), await takeIn(database)];
  await pool.query(`UPDATE outbox SET created_at = created_at - interval '1 hour' WHERE id = $1`, [first.id]);
  await prisma.outbox.create({
    data: { id: randomUUID(), organizationId: 'org-1', kind: 'RESCORE_LEADS', status: 'DEAD' },
  });
  await prisma.onboarding.update({ where: { leadId: second.leadId }, data: { state: 'RUNNING' } });
  await pool.query(`INSERT INTO enrichment_circuit (provider, failures, open_until)
    VALUES ('crm', 5, clock_timestamp() + interval '1 hour'), ('maps', 0, NULL)`);
  await pool.query(`INSERT INTO enrichment_budget (organization_id, provider, day, used)
    SELECT 'org-' || n, 'crm', (clock_timestamp() AT TIME ZONE 'utc')::date - n / 3, 10 FROM generate_series(1, 3) AS n`);

  const endpoint = {
    organizationId: 'org-1',
    url: 'https://a.example/',
    description: '',
    withPersons: false,
    secret: '',
  };
  const [one] = await Promise.all(
    [null, new Date(), new Date()].map((failingSince) =>
      prisma.webhookEndpoint.create({ data: { id: randomUUID(), ...endpoint, failingSince } }),
    ),
  );
  const delivery = { endpointId: one?.id ?? '', organizationId: 'org-1', type: 'lead.created' };
  for (const failedAt of [null, new Date()]) {
    await prisma.webhookDelivery.create({ data: { ...delivery, eventId: randomUUID(), failedAt } });
  }

  const shown = await show();
  const pending = '{kind="START_ONBOARDING",status="pending"}';
  expect(Object.fromEntries(shown)).toMatchObject({
    [`lead_outbox_orders${pending}`]: 2,
    'lead_outbox_orders{kind="RESCORE_LEADS",status="dead"}': 1,
    'lead_outbox_orders{kind="ENRICH_LEAD",status="pending"}': 0,
    'lead_onboardings_unfinished{state="PENDING"}': 1,
    'lead_onboardings_unfinished{state="RUNNING"}': 1,
    'lead_enrichment_circuit_open{provider="crm"}': 1,
    'lead_enrichment_circuit_open{provider="maps"}': 0,
    'lead_enrichment_budget_used{provider="crm"}': 20,
    'lead_webhook_endpoints{state="active"}': 1,
    'lead_webhook_endpoints{state="failing"}': 2,
    'lead_webhook_endpoints{state="paused"}': 0,
    lead_webhook_events_set_aside: 1,
  });
  expect(shown.get(`lead_outbox_oldest_age_seconds${pending}`)).toBeGreaterThanOrEqual(3_600);

  await pool.query('DELETE FROM outbox');
  await pool.query('DELETE FROM enrichment_circuit');
  const later = await show();
  expect(later.get(`lead_outbox_orders${pending}`)).toBe(0);
  expect(later.get(`lead_outbox_oldest_age_seconds${pending}`)).toBe(0);
  expect(later.has('lead_enrichment_circuit_open{provider="crm"}')).toBe(false);
});

test('a dead order is seen behind any number of those that wait', async ({ database: { pool } }) => {
  const { gauges, series } = openGauges();
  await pool.query(`INSERT INTO outbox (id, organization_id, kind, status)
    SELECT gen_random_uuid(), 'org-1', 'START_ONBOARDING',
           CASE WHEN n = 1 THEN 'DEAD'::outbox_status ELSE 'PENDING' END FROM generate_series(1, 10500) AS n`);
  gauges.showDatabase(await readDatabase(pool));
  const shown = await series();
  expect(shown.get('lead_outbox_orders{kind="START_ONBOARDING",status="dead"}')).toBe(1);
  expect(shown.get('lead_outbox_orders{kind="START_ONBOARDING",status="pending"}')).toBe(10_000);
});

it('shows queues by priority, slots where they are known, and nothing where another relay leads', async () => {
  const { gauges, series } = openGauges();
  const queue = { tasks: 3, ageSeconds: 7, addRate: 0.5, dispatchRate: 0.25, pollers: 1 };
  const byPriority = { '1': { tasks: 1, ageSeconds: 2 }, '5': { tasks: 2, ageSeconds: 7 } };
  gauges.showQueue('lead', { ...queue, byPriority, slots: { workers: 2, used: 4, total: 6 } });
  const of = 'task_queue="lead"';
  expect(Object.fromEntries(await series())).toMatchObject({
    [`lead_task_queue_backlog_tasks{${of},priority="1"}`]: 1,
    [`lead_task_queue_backlog_tasks{${of},priority="3"}`]: 0,
    [`lead_task_queue_backlog_age_seconds{${of},priority="5"}`]: 7,
    [`lead_task_queue_pollers{${of}}`]: 1,
    [`lead_task_queue_slots_used{${of}}`]: 4,
    [`lead_task_queue_slots{${of}}`]: 6,
    [`lead_task_queue_workers{${of}}`]: 2,
  });

  gauges.showQueue('lead', { ...queue, byPriority: {} });
  const untold = await series();
  expect(untold.has(`lead_task_queue_slots_used{${of}}`)).toBe(false);
  expect(untold.get(`lead_task_queue_backlog_tasks{${of},priority="1"}`)).toBe(0);

  gauges.clear();
  expect([...(await series()).keys()].filter((name) => name.includes('{'))).toEqual([]);
});
