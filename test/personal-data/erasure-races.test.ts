import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished } from 'vitest';
import { createLeadActivities } from '../../activities/lead.ts';
import { createNotificationActivities } from '../../activities/notification.ts';
import type { EnrichmentProvider } from '../../src/enrichment/provider.ts';
import { eraseLead } from '../../src/personal-data/erase.ts';
import type { Lead } from '../../src/leads/lead.ts';
import type { NotifyOrder, StartOrder } from '../../src/outbox/order.ts';
import { assigneeNotificationWorkflowId, onboardingWorkflowId, type ScoreInput } from '../../workflows/contract.ts';
import { refOf, runActivity } from '../support/activity.ts';
import { test, type TestApi } from '../support/api.ts';
import type { TestDatabase } from '../support/database.ts';
import { recordLog } from '../support/log.ts';
import { takeIn } from '../support/onboarding.ts';
import { createTestClient, replay } from '../support/temporal.ts';
import { createPerson, tablesWithTraces } from './person.ts';
import { carrierTo } from '../support/relay.ts';

const { log } = recordLog();
const GONE = { type: 'LeadGone', nonRetryable: true };

const erase = (api: TestApi, leadId: string) => api.call('DELETE', `/api/leads/${leadId}`);

/** What must not be there, whatever happened at the same time: anything of a lead that is no more. */
async function remains({ pool }: TestDatabase): Promise<unknown[]> {
  const { rows } = await pool.query<object>(
    `SELECT 'event' AS what, lead_id, type AS detail FROM lead_event e
       WHERE type <> 'lead.erased' AND NOT EXISTS (SELECT 1 FROM lead WHERE id = e.lead_id)
     UNION ALL SELECT 'erasure of a lead that is there', lead_id, '' FROM lead_event e
       WHERE type = 'lead.erased' AND EXISTS (SELECT 1 FROM lead WHERE id = e.lead_id)
     UNION ALL SELECT 'order', lead_id, kind::text FROM outbox o
       WHERE NOT (kind = 'SIGNAL_ONBOARDING' AND payload ? 'erasedAt') AND NOT EXISTS (SELECT 1 FROM lead WHERE id = o.lead_id)
     UNION ALL SELECT 'answer', lead_id, key FROM idempotency_key k
       WHERE (response IS NOT NULL OR request_hash <> '') AND NOT EXISTS (SELECT 1 FROM lead WHERE id = k.lead_id)`,
  );
  return rows;
}

async function untilSomebodyWaits({ pool }: TestDatabase) {
  const waiting = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  await expect.poll(async () => (await pool.query(waiting)).rowCount, { interval: 5 }).not.toBe(0);
}

const scoreInput = (order: StartOrder): ScoreInput => ({
  ...refOf(order),
  enrichment: { outcome: 'completed' },
  notification: { outcome: 'created' },
});

describe('a lead that is erased', () => {
  test('while a touch of it is not committed yet takes the touch along', async ({ api, database }) => {
    const person = createPerson();
    const { body } = await api.call<Lead>('POST', '/api/leads', person.lead);
    const touch = {
      ...{ id: body.id, event_id: randomUUID(), order_id: randomUUID(), organization_id: 'org-123' },
      ...{ name: person.lead.name, email_key: person.lead.email.toLowerCase(), status: 'NEW', source: 'FORM' },
      ...{ priority: 'LOW', locale: 'en', attributes: {}, metadata: {}, order_payload: {} },
    };
    let erasing: ReturnType<typeof erase> | undefined;
    await database.prisma.$transaction(async (tx) => {
      const outcome = await tx.$queryRaw`SELECT outcome FROM intake_lead(${touch}::jsonb)`;
      expect(outcome).toEqual([{ outcome: 'duplicate' }]);
      erasing = erase(api, body.id);
      await untilSomebodyWaits(database);
    });
    expect((await erasing)?.status).toBe(204);
    expect(await tablesWithTraces(database, person)).toEqual([]);
  });

  test('while the same person is sent again makes that a new lead', async ({ api, database }) => {
    const { lead } = createPerson();
    const { body } = await api.call<Lead>('POST', '/api/leads', lead);
    let coming: ReturnType<typeof api.call<Lead>> | undefined;
    await database.prisma.$transaction(async (tx) => {
      const erasure = { reason: 'request', requestId: 'r', origin: {}, orderDelayMs: 0 } as const;
      await eraseLead(tx, body.id, erasure);
      coming = api.call<Lead>('POST', '/api/leads', lead, { 'idempotency-key': 'comes-again' });
      await untilSomebodyWaits(database);
    });
    const again = await coming;
    expect(again?.status).toBe(201);
    expect(again?.body.id).not.toBe(body.id);
    expect(await remains(database)).toEqual([]);
  });

  test('while it is being enriched keeps nothing of what was found', async ({ api, database }) => {
    const person = createPerson();
    const order = await takeIn(database, person.lead);
    const erasing: EnrichmentProvider = {
      name: 'slow',
      async lookUp() {
        expect((await erase(api, order.leadId)).status).toBe(204);
        return { kind: 'found', fields: { company: { value: person.lead.company, method: 'test', confidence: 1 } } };
      },
    } as EnrichmentProvider;
    const { enrichLead, scoreLead, closeOnboarding } = createLeadActivities({
      ...database,
      providers: [erasing],
    });
    await expect(runActivity(enrichLead, refOf(order))).rejects.toMatchObject(GONE);
    await expect(runActivity(scoreLead, scoreInput(order))).rejects.toMatchObject(GONE);
    const close = { ...refOf(order), verdict: 'canceled', notification: { outcome: 'pending' } } as const;
    expect(await runActivity(closeOnboarding, close)).toEqual({ state: 'CANCELED' });
    expect(await tablesWithTraces(database, person)).toEqual([]);
    expect(await remains(database)).toEqual([]);
  });

  test('before its run has started has one that ends by itself', async ({ api, onboard, database }) => {
    await onboard(); // workers run from here on
    const person = createPerson();
    const client = createTestClient();
    onTestFinished(() => client.connection.close());
    const order = await takeIn(database, person.lead);
    await erase(api, order.leadId);
    await carrierTo(client, log)(order);
    const handle = client.workflow.getHandle(onboardingWorkflowId(order.leadId));
    await handle.result().catch(() => undefined);
    expect(['COMPLETED', 'CANCELLED']).toContain((await handle.describe()).status.name);
    await replay(handle);
    expect(await tablesWithTraces(database, person)).toEqual([]);
  });

  test('before a later assignee was told has a run that ends by itself', async ({ api, onboard, database }) => {
    await onboard(); // workers run from here on
    const client = createTestClient();
    onTestFinished(() => client.connection.close());
    const start = await takeIn(database, createPerson().lead);
    await api.call('PATCH', `/api/leads/${start.leadId}`, { assignedTo: 'user-789' });
    await erase(api, start.leadId);
    const order: NotifyOrder = {
      ...{ ...start, kind: 'NOTIFY_ASSIGNEE' },
      payload: { assignment: 2, priority: 'NORMAL', requestId: 'request-1' },
    };
    await carrierTo(client, log)(order);
    const handle = client.workflow.getHandle(assigneeNotificationWorkflowId(start.leadId, 2));
    expect(await handle.result()).toEqual({ outcome: 'skipped' });
    await replay(handle);
    expect(await remains(database)).toEqual([]);
  });
});

/** Everything that writes about a lead, each as it would come from elsewhere. */
function writers(api: TestApi, database: TestDatabase, order: StartOrder, lead: object) {
  const { notifyAssignee, notifyReassigned } = createNotificationActivities(database);
  const { enrichLead, scoreLead, closeOnboarding } = createLeadActivities({ ...database, providers: [] });
  const path = `/api/leads/${order.leadId}`;
  const { payload, ...ref } = { ...refOf(order), payload: order.payload };
  let times = 0;
  const next = () => (times += 1);
  return [
    () => runActivity(notifyAssignee, refOf(order)),
    () => runActivity(enrichLead, refOf(order)),
    () => runActivity(scoreLead, scoreInput(order)),
    () => runActivity(closeOnboarding, { ...refOf(order), verdict: 'canceled', notification: { outcome: 'pending' } }),
    () => runActivity(notifyReassigned, { ...ref, assignment: 2, priority: payload.priority }),
    () => api.call('PATCH', path, { name: `Ana ${next()}`, assignedTo: `user-${next()}` }),
    () => api.call('POST', '/api/leads', lead, { 'idempotency-key': `${order.leadId}-${next()}` }),
    () => api.call('POST', '/api/leads', lead),
    () => api.call('POST', `${path}/onboarding/enrich-now`),
    () => api.call('POST', `${path}/onboarding/retry`),
  ];
}

describe('whatever writes about a lead while it is erased', () => {
  test.override({ slots: 0 });

  test('brings nothing of it back, in 20 leads', async ({ api, database }) => {
    await database.pool.query('TRUNCATE lead, lead_event, outbox, idempotency_key CASCADE');
    const unexpected: unknown[] = [];
    for (let lead = 0; lead < 20; lead += 1) {
      const person = createPerson();
      const order = await takeIn(database, person.lead);
      const working = writers(api, database, order, person.lead).map(async (write) => {
        for (let i = 0; i < 4; i += 1) {
          const answer = await Promise.resolve(write()).catch((err: unknown) => err);
          const failed = answer instanceof Error && !/does not exist|is over/.test(answer.message);
          if (failed || ('status' in (answer as object) && (answer as { status: number }).status >= 500)) {
            unexpected.push(answer);
          }
        }
      });
      await sleep(lead * 3);
      expect((await erase(api, order.leadId)).status).toBe(204);
      await Promise.all(working);
      const { leadId } = order;
      expect(await database.prisma.leadEvent.findMany({ where: { leadId } })).toMatchObject([{ type: 'lead.erased' }]);
    }
    expect(unexpected).toEqual([]);
    expect(await remains(database)).toEqual([]);
    expect(await database.prisma.leadEvent.count({ where: { type: 'lead.erased' } })).toBe(20);
  });
});
