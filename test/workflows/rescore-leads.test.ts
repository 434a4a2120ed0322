import { randomUUID } from 'node:crypto';
import { WorkflowNotFoundError } from '@temporalio/client';
import { describe, expect, onTestFinished } from 'vitest';
import { reconcileRescores } from '../../src/reconciler/rescores.ts';
import { type RescoreInput, rescoreWorkflowId } from '../../workflows/rescore-contract.ts';
import { createTestApi } from '../support/api.ts';
import type { TestDatabase } from '../support/database.ts';
import { testOfRuns } from '../support/durable-runs.ts';
import { recordLog } from '../support/log.ts';
import { carrierTo, relayOnce } from '../support/relay.ts';
import { fillScored, rule, TELLING_RULES } from '../support/scores.ts';
import { createTestClient, historyText, replay } from '../support/temporal.ts';

interface Progress {
  id: string;
  state: string;
  done: number;
  total: number;
  version: number;
  finishedAt: string | null;
}

const client = createTestClient();
const { log } = recordLog();

const test = testOfRuns(rescoreWorkflowId);

const progressOf = (id: string) => `/api/score-rules/rescores/${id}`;

describe('rescoreLeads', () => {
  test('scores all leads by rules that came into force, and shows its progress', async ({
    api,
    database,
    work,
    runs,
  }) => {
    await work();
    const organizationId = `org-${randomUUID()}`;
    await fillScored(database.pool, organizationId, 1_700);
    const sent = { organizationId, ...TELLING_RULES };
    const answer = await api.call<{ version: number; rescore: Progress }>('POST', '/api/score-rules', sent, {
      'x-actor-id': 'user-7',
    });
    expect(answer.status).toBe(202);
    const { id } = answer.body.rescore;
    expect(answer.body).toMatchObject({
      organizationId,
      version: 1,
      rescore: { state: 'RUNNING', done: 0, total: 1_700, requestedBy: 'user-7' },
    });
    const seen: number[] = [];
    await expect
      .poll(
        async () => {
          const { body } = await api.call<Progress>('GET', progressOf(id));
          seen.push(body.done);
          return body.state;
        },
        { interval: 20 },
      )
      .toBe('COMPLETED');
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(await runs(id).result()).toEqual({ pages: 4 });

    const rows = await database.prisma.score.groupBy({ by: ['leadId'], where: { rescoreId: id }, _count: true });
    expect(rows.map(({ _count }) => _count)).toEqual(Array.from({ length: 1_700 }, () => 1));
    const rules = await api.call('GET', `/api/score-rules?organizationId=${organizationId}`);
    expect(rules.body).toMatchObject({ version: 1, inForce: true, rescore: { id, state: 'COMPLETED', done: 1_700 } });
    const history = await historyText(runs(id));
    expect(history).not.toMatch(/example\.com|Lead \d|Acme/);
  });

  test('waits while it is paused, and goes on when it is resumed', async ({ api, database, work, runs }) => {
    const organizationId = `org-${randomUUID()}`;
    await fillScored(database.pool, organizationId, 600);
    const { body } = await api.call<{ rescore: Progress }>('POST', '/api/score-rules', {
      organizationId,
      ...TELLING_RULES,
    });
    const { id } = body.rescore;
    expect((await api.call('POST', `${progressOf(id)}/pause`)).body).toMatchObject({ state: 'PAUSED', done: 0 });
    await work();
    await expect.poll(() => historyText(runs(id))).toContain('"next":"wait"');
    expect((await api.call('GET', progressOf(id))).body).toMatchObject({ state: 'PAUSED', done: 0, finishedAt: null });
    expect((await api.call('POST', `${progressOf(id)}/resume`)).body).toMatchObject({ state: 'RUNNING' });
    expect(await runs(id).result()).toEqual({ pages: 2 });
    expect((await api.call('GET', progressOf(id))).body).toMatchObject({ state: 'COMPLETED', done: 600 });
    expect((await api.call('POST', `${progressOf(id)}/pause`)).status).toBe(409);
    expect((await api.call('POST', `${progressOf(randomUUID())}/pause`)).status).toBe(404);
  });

  test('ends when it is canceled while it waits, and leaves the rest of the leads as they are', async ({
    api,
    database,
    work,
    runs,
  }) => {
    const organizationId = `org-${randomUUID()}`;
    await fillScored(database.pool, organizationId, 600);
    const sent = { organizationId, ...TELLING_RULES };
    const { id } = (await api.call<{ rescore: Progress }>('POST', '/api/score-rules', sent)).body.rescore;
    await api.call('POST', `${progressOf(id)}/pause`);
    await work();
    await expect.poll(() => historyText(runs(id))).toContain('"next":"wait"');
    expect((await api.call('POST', `${progressOf(id)}/cancel`)).body).toMatchObject({ state: 'CANCELED' });
    expect(await runs(id).result()).toEqual({ pages: 0 });
    expect(await database.prisma.score.count({ where: { organizationId, ruleVersion: 1 } })).toBe(0);
  });

  test('lets one that waits end when newer rules come into force', async ({ api, database, work, runs }) => {
    const organizationId = `org-${randomUUID()}`;
    await fillScored(database.pool, organizationId, 10);
    const send = async (points: number) => {
      const sent = { organizationId, rules: [rule('all', 'true', points)] };
      return (await api.call<{ rescore: Progress }>('POST', '/api/score-rules', sent)).body.rescore.id;
    };
    const first = await send(1);
    await api.call('POST', `${progressOf(first)}/pause`);
    await work();
    await expect.poll(() => historyText(runs(first))).toContain('"next":"wait"');
    const second = await send(2);
    await api.idle();
    await relayOnce({ pool: database.pool, log, carryOut: carrierTo(client) });
    expect(await runs(first).result()).toEqual({ pages: 0 });
    expect(await runs(second).result()).toEqual({ pages: 1 });
    expect((await api.call('GET', progressOf(first))).body).toMatchObject({ state: 'SUPERSEDED' });
    expect(await database.prisma.lead.count({ where: { organizationId, score: 2 } })).toBe(10);
  });

  test('was ordered in the transaction that put the rules in force: Temporal may be away then', async ({
    database,
    work,
    runs,
  }) => {
    const away = createTestApi(database, { slots: 0 });
    onTestFinished(() => away.close());
    const organizationId = `org-${randomUUID()}`;
    await fillScored(database.pool, organizationId, 10);
    const sent = { organizationId, ...TELLING_RULES };
    const { status, body } = await away.call<{ rescore: Progress }>('POST', '/api/score-rules', sent);
    expect(status).toBe(202);
    const { id } = body.rescore;
    await expect(runs(id).describe()).rejects.toThrow(WorkflowNotFoundError);
    await work();
    await relayOnce({ pool: database.pool, log, carryOut: carrierTo(client) });
    expect(await runs(id).result()).toEqual({ pages: 1 });
    expect(await database.prisma.outbox.count({ where: { organizationId } })).toBe(0);
  });

  test('keeps its history short, however many pages there are', async ({ work, runs }) => {
    const asked: number[] = [];
    await work({
      rescorePage: ({ pages }: RescoreInput) => {
        asked.push(pages);
        return Promise.resolve({ pages: pages + 1, next: pages + 1 === 60 ? 'end' : 'page' });
      },
    });
    const rescoreId = randomUUID();
    const order = { id: randomUUID(), leadId: null, organizationId: 'org-1', kind: 'RESCORE_LEADS' } as const;
    await carrierTo(client)({ ...order, payload: { rescoreId, requestId: 'request-1' } });
    const handle = runs(rescoreId);
    const { runId: firstRun } = await handle.describe();
    expect(await handle.result()).toEqual({ pages: 60 });
    expect(asked).toEqual(Array.from({ length: 60 }, (_, index) => index));
    const { historyLength, runId } = await handle.describe();
    expect(runId).not.toBe(firstRun);
    expect(historyLength).toBeLessThan(100);
    const first = client.workflow.getHandle(rescoreWorkflowId(rescoreId), firstRun);
    expect((await first.describe()).historyLength).toBeLessThan(500);
    await replay(first);
  });

  test('comes after everything else in its queue', async ({ api, database, work, runs }) => {
    await work();
    const organizationId = `org-${randomUUID()}`;
    await fillScored(database.pool, organizationId, 1);
    const sent = { organizationId, ...TELLING_RULES };
    const { id } = (await api.call<{ rescore: Progress }>('POST', '/api/score-rules', sent)).body.rescore;
    await api.idle();
    await runs(id).result();
    const { events } = await runs(id).fetchHistory();
    const scheduled = events?.find(({ activityTaskScheduledEventAttributes: found }) => found);
    expect(scheduled?.activityTaskScheduledEventAttributes).toMatchObject({
      taskQueue: { name: 'lead' },
      priority: { priorityKey: 5, fairnessKey: organizationId },
    });
  });
});

describe('a rescore whose run is lost', () => {
  const reconcile = async ({ pool, prisma }: TestDatabase) => {
    let woken = false;
    const wakeRelay = () => void (woken = true);
    const deps = { pool, prisma, client, log, patienceMs: 0, enrichmentDelayMs: 50, wakeRelay };
    const mended = await reconcileRescores(deps);
    expect(woken).toBe(mended > 0);
    await relayOnce({ pool, log, carryOut: carrierTo(client) });
    return mended;
  };

  test('goes on where it was, and is left alone while it runs', async ({ api, database, work, runs }) => {
    const organizationId = `org-${randomUUID()}`;
    await fillScored(database.pool, organizationId, 600);
    const sent = { organizationId, ...TELLING_RULES };
    const { id } = (await api.call<{ rescore: Progress }>('POST', '/api/score-rules', sent)).body.rescore;
    await api.idle();
    expect(await reconcile(database)).toBe(0);
    await client.workflow.getHandle(rescoreWorkflowId(id)).terminate('lost');
    expect(await reconcile(database)).toBe(1);
    await work();
    expect(await runs(id).result()).toEqual({ pages: 2 });
    expect((await api.call('GET', progressOf(id))).body).toMatchObject({ state: 'COMPLETED', done: 600 });
    expect(await reconcile(database)).toBe(0);
  });

  test('counts as canceled when an operator canceled it in Temporal', async ({ api, database, work }) => {
    const organizationId = `org-${randomUUID()}`;
    await fillScored(database.pool, organizationId, 10);
    await work({ rescorePage: ({ pages }: RescoreInput) => Promise.resolve({ pages, next: 'wait' }) });
    const sent = { organizationId, ...TELLING_RULES };
    const { id } = (await api.call<{ rescore: Progress }>('POST', '/api/score-rules', sent)).body.rescore;
    await api.idle();
    const handle = client.workflow.getHandle(rescoreWorkflowId(id));
    await handle.cancel();
    await expect(handle.result()).rejects.toThrow();
    expect(await reconcile(database)).toBe(1);
    expect((await api.call('GET', progressOf(id))).body).toMatchObject({ state: 'CANCELED' });
  });
});
