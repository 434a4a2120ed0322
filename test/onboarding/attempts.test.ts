import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { ApplicationFailure } from '@temporalio/activity';
import pg from 'pg';
import { Registry } from 'prom-client';
import { describe, expect, inject, onTestFinished } from 'vitest';
import { createPool } from '../../src/db/pool.ts';
import { type AttemptLedger, openAttemptLedger } from '../../src/onboarding/attempts/ledger.ts';
import { sweepAttempts } from '../../src/onboarding/attempts/sweep.ts';
import type { StepEnd } from '../../src/temporal/step-metrics.ts';
import { type Page, test as base, type TestApi } from '../support/api.ts';
import type { TestDatabase } from '../support/database.ts';
import { recordLog } from '../support/log.ts';
import { seriesOf } from '../support/metrics.ts';
import { takeIn } from '../support/onboarding.ts';
import { within } from '../support/patience.ts';
import { expectProblem } from '../support/problem.ts';
import { atPort } from '../support/processes.ts';
import { holdTable } from '../support/row-lock.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

const WORKER = `${process.pid}@${hostname()}`;

interface Attempt {
  step: string;
  taskQueue: string;
  worker: string;
  runId: string;
  attempt: number;
  waitedMs: number;
  startedAt: string;
  endedAt: string;
  durationMs: number;
  outcome: string;
  error: { type: string; message: string } | null;
}

/** A ledger on a connection of its own, as in a worker, through a proxy that the test holds. */
async function openLedger(database: TestDatabase) {
  const proxy = await startTcpProxy(inject('postgresPort'));
  const connectionString = atPort(database.url, proxy.port);
  const pool = createPool({ connectionString, max: 1, applicationName: 'attempts', onError: () => undefined });
  const metrics = new Registry();
  const { log, lines } = recordLog();
  const ledger = openAttemptLedger({ pool, log, metrics });
  onTestFinished(async () => {
    await ledger.close();
    await pool.end();
    await proxy.close();
  });
  const dropped = async (reason: string) =>
    seriesOf(await metrics.metrics()).get(`lead_attempts_dropped_total{reason="${reason}"}`);
  return { ledger, pool, proxy, lines, dropped };
}

const test = base.extend<{ opened: Awaited<ReturnType<typeof openLedger>> }>({
  opened: async ({ database }, use) => {
    await use(await openLedger(database));
  },
});

const noteIn = (ledger: AttemptLedger) => (end: StepEnd) => ledger.note(end);

const attemptsOf = async (api: TestApi, leadId: string) =>
  (await api.call<Page<unknown> & { attempts?: Attempt[] }>('GET', `/api/leads/${leadId}/timeline?attempts=true`)).body
    .attempts ?? [];

/** An attempt that was over so many milliseconds ago. */
const endOf = (lead: { leadId: string; organizationId: string }, change: Partial<StepEnd> = {}): StepEnd => ({
  step: 'enrichLead',
  outcome: 'completed',
  attempt: 1,
  taskQueue: 'lead',
  worker: '1@here',
  runId: randomUUID(),
  activityId: '1',
  scheduledAt: new Date(Date.now() - 1_050),
  startedAt: new Date(Date.now() - 1_000),
  seconds: 0.25,
  input: { leadId: lead.leadId, organizationId: lead.organizationId },
  ...change,
});

const countOf = (database: TestDatabase, leadId: string) => database.prisma.stepAttempt.count({ where: { leadId } });

describe('the attempts of a lead', () => {
  test('are all on its timeline: four failures with four different errors, with times and workers', async ({
    api,
    onboard,
    database,
    opened,
  }) => {
    const errors = [
      Object.assign(new Error('connect ECONNREFUSED 10.0.0.1'), { code: 'ECONNREFUSED' }),
      new RangeError('joao@example.com is out of range'),
      ApplicationFailure.create({ message: 'Asked to come back', type: 'ProviderUnavailable', nextRetryDelay: '1 ms' }),
      ApplicationFailure.create({ message: 'Answered nonsense', type: 'ProviderAnswer', nextRetryDelay: '1 ms' }),
    ];
    let failures = 0;
    const run = await onboard({
      onStepEnd: noteIn(opened.ledger),
      activities: {
        enrichLead: () => {
          const error = errors[failures];
          failures += 1;
          return error ? Promise.reject(error) : Promise.resolve({ outcome: 'completed' });
        },
      },
    });
    await run.handle.result();
    await expect.poll(() => countOf(database, run.leadId)).toBe(7);

    const attempts = await attemptsOf(api, run.leadId);
    const told = attempts.map(({ step, attempt, outcome, error }) => [step, attempt, outcome, error?.type ?? null]);
    expect(told).toEqual([
      ['notifyAssignee', 1, 'completed', null],
      ['enrichLead', 1, 'failed', 'Error'],
      ['enrichLead', 2, 'failed', 'RangeError'],
      ['enrichLead', 3, 'failed', 'ProviderUnavailable'],
      ['enrichLead', 4, 'failed', 'ProviderAnswer'],
      ['enrichLead', 5, 'completed', null],
      ['scoreLead', 1, 'completed', null],
    ]);
    const { createdAt } = await database.prisma.lead.findUniqueOrThrow({ where: { id: run.leadId } });
    const { runId } = await run.handle.describe();
    for (const { worker, taskQueue, step, startedAt, endedAt, durationMs, waitedMs, ...rest } of attempts) {
      expect({ worker, taskQueue, runId: rest.runId }).toEqual({
        worker: WORKER,
        taskQueue: step === 'notifyAssignee' ? 'notification' : 'lead',
        runId,
      });
      expect(Date.parse(startedAt)).toBeGreaterThanOrEqual(createdAt.getTime());
      expect(Date.parse(endedAt) - Date.parse(startedAt)).toBe(durationMs);
      expect(waitedMs).toBeGreaterThanOrEqual(0);
    }
    const starts = attempts.map(({ startedAt }) => startedAt);
    expect(starts).toEqual(starts.toSorted());
    expect(attempts.map(({ error }) => error?.message).filter(Boolean)).toEqual([
      "Error ECONNREFUSED; the worker's log has where",
      "RangeError; the worker's log has where",
      'Asked to come back',
      'Answered nonsense',
    ]);
    expect(JSON.stringify(await database.prisma.stepAttempt.findMany())).not.toContain('joao');
  });

  test('count the wait for a worker, and not the wait between two attempts', async ({
    api,
    onboard,
    database,
    opened,
  }) => {
    let failures = 0;
    const run = await onboard({
      onStepEnd: noteIn(opened.ledger),
      activities: {
        scoreLead: () => {
          failures += 1;
          const refusal = { message: 'Later', type: 'Later', nextRetryDelay: '3 seconds' };
          if (failures === 1) return Promise.reject(ApplicationFailure.create(refusal));
          return Promise.resolve({ score: 1, band: 'COLD', state: 'COMPLETED' });
        },
      },
    });
    await run.handle.result();
    await expect.poll(() => countOf(database, run.leadId)).toBe(4);
    const [first, second] = (await attemptsOf(api, run.leadId)).filter(({ step }) => step === 'scoreLead');
    const between = Date.parse(second?.startedAt ?? '') - Date.parse(first?.endedAt ?? '');
    expect(between).toBeGreaterThan(2_900);
    // A busy machine makes both longer: what lies between them is the backoff.
    expect(between - (second?.waitedMs ?? Infinity)).toBeGreaterThan(2_800);
  });

  test('are answered when asked for only, and 200 at most, the newest', async ({ api, database, opened }) => {
    const order = await takeIn(database);
    const startedAt = (i: number) => new Date(Date.now() - 60_000 + i);
    for (let i = 0; i < 250; i += 1) opened.ledger.note(endOf(order, { attempt: i + 1, startedAt: startedAt(i) }));
    await expect.poll(() => countOf(database, order.leadId)).toBe(250);
    const attempts = await attemptsOf(api, order.leadId);
    expect(attempts.map(({ attempt }) => attempt)).toEqual(Array.from({ length: 200 }, (_, i) => i + 51));
    for (const query of ['', '?attempts=false'])
      expect((await api.call('GET', `/api/leads/${order.leadId}/timeline${query}`)).body).not.toHaveProperty(
        'attempts',
      );
    expectProblem(await api.call('GET', `/api/leads/${order.leadId}/timeline?attempts=yes`), 400, 'invalid-request', [
      'attempts',
    ]);
    expectProblem(await api.call('GET', `/api/leads/${randomUUID()}/timeline?attempts=true`), 404, 'not-found');
  });

  test('leave an answer within 4 MiB', async ({ api, database, opened }) => {
    const order = await takeIn(database);
    const failure = { type: 'T'.repeat(300), message: 'm'.repeat(300) };
    for (let i = 0; i < 200; i += 1) opened.ledger.note(endOf(order, { outcome: 'failed', failure }));
    const entry = { leadId: order.leadId, organizationId: order.organizationId, type: 'entry' };
    const data = { text: 'x'.repeat(64_000) };
    await database.prisma.leadEvent.createMany({
      data: Array.from({ length: 80 }, () => ({ ...entry, id: randomUUID(), data })),
    });
    await expect.poll(() => countOf(database, order.leadId)).toBe(200);
    const answer = await api.call<Page<unknown>>('GET', `/api/leads/${order.leadId}/timeline?attempts=true`);
    expect(answer.status).toBe(200);
    expect(answer.body.nextCursor).not.toBeNull();
    expect(Buffer.byteLength(answer.text)).toBeLessThanOrEqual(4 * 1024 * 1024);
    expect((await attemptsOf(api, order.leadId))[0]?.error).toEqual({
      type: 'T'.repeat(200),
      message: 'm'.repeat(200),
    });
  });

  test('go with the lead when it is erased, and one that is told afterwards is not kept', async ({
    api,
    onboard,
    database,
    opened,
  }) => {
    const run = await onboard({ onStepEnd: noteIn(opened.ledger) });
    await run.handle.result();
    const other = await takeIn(database);
    opened.ledger.note(endOf(other));
    await expect.poll(() => countOf(database, run.leadId)).toBe(3);
    await expect.poll(() => countOf(database, other.leadId)).toBe(1);

    expect((await api.call('DELETE', `/api/leads/${run.leadId}`)).status).toBe(204);
    expect(await countOf(database, run.leadId)).toBe(0);
    expect(await countOf(database, other.leadId)).toBe(1);
    opened.ledger.note(endOf(run.order));
    opened.ledger.note(endOf(other));
    await expect.poll(() => countOf(database, other.leadId)).toBe(2);
    expect(await countOf(database, run.leadId)).toBe(0);
    expect(await attemptsOf(api, run.leadId)).toEqual([]);
  });

  test('are not kept of a lead whose erasure is under way: it is waited for', async ({ database, opened }) => {
    const order = await takeIn(database);
    const erasure = new pg.Client({ connectionString: database.url });
    await erasure.connect();
    onTestFinished(() => erasure.end());
    await erasure.query('BEGIN');
    await erasure.query('DELETE FROM lead WHERE id = $1', [order.leadId]);
    opened.ledger.note(endOf(order));
    const waiting = `SELECT 1 FROM pg_stat_activity WHERE wait_event = 'advisory' AND datname = current_database()`;
    await expect.poll(async () => (await database.pool.query(waiting)).rowCount, { interval: 20 }).toBe(1);
    await erasure.query('COMMIT');
    await opened.ledger.close();
    expect(await countOf(database, order.leadId)).toBe(0);
  });

  test('are waited for by no step: one of the same lead goes on while they are being noted', async ({ database }) => {
    const order = await takeIn(database);
    const noting = new pg.Client({ connectionString: database.url });
    await noting.connect();
    onTestFinished(() => noting.end());
    const row = {
      lead_id: order.leadId,
      organization_id: order.organizationId,
      step: 'x',
      task_queue: 'x',
      worker: 'x',
    };
    const at = new Date().toISOString();
    const times = { scheduled_at: at, started_at: at, ended_at: at };
    await noting.query('BEGIN');
    await noting.query('SELECT note_attempts($1)', [
      JSON.stringify([{ ...row, ...times, run_id: randomUUID(), activity_id: '1', attempt: 1, outcome: 'failed' }]),
    ]);
    await database.pool.query('SELECT 1 FROM lead WHERE id = $1 FOR UPDATE NOWAIT', [order.leadId]);
    await noting.query('COMMIT');
    expect(await countOf(database, order.leadId)).toBe(1);
  });
});

describe('a ledger', () => {
  test('whose database is away fails and delays no step, and stores all of it when that is back', async ({
    onboard,
    database,
    opened,
  }) => {
    await opened.proxy.close();
    const run = await onboard({ onStepEnd: noteIn(opened.ledger) });
    expect(await run.handle.result()).toMatchObject({ state: 'COMPLETED' });
    await expect
      .poll(() => opened.lines.map(({ msg }) => msg))
      .toEqual(['attempts not stored yet: Postgres does not take them']);
    expect(run.log.filter(({ msg }) => msg === 'step failed')).toEqual([]);
    expect(await countOf(database, run.leadId)).toBe(0);

    await opened.proxy.reopen();
    await expect.poll(() => countOf(database, run.leadId)).toBe(3);
    expect(await opened.dropped('full')).toBe(0);
  });

  test('that hangs delays no step either', async ({ onboard, database, opened }) => {
    const table = await holdTable(database, 'step_attempt');
    const run = await onboard({ onStepEnd: noteIn(opened.ledger) });
    expect(await run.handle.result()).toMatchObject({ state: 'COMPLETED' });
    await table.contended();
    await table.release();
    await expect.poll(() => countOf(database, run.leadId)).toBe(3);
  });

  test('holds 10,000 attempts, drops the oldest and counts them', async ({ database, opened }) => {
    const order = await takeIn(database);
    await opened.proxy.close();
    for (let attempt = 1; attempt <= 10_700; attempt += 1) opened.ledger.note(endOf(order, { attempt }));
    await expect.poll(() => opened.lines).toHaveLength(1);
    expect(await opened.dropped('full')).toBe(700);
    await opened.proxy.reopen();
    await expect.poll(() => countOf(database, order.leadId)).toBe(10_000);
    const { _min: oldest } = await database.prisma.stepAttempt.aggregate({
      where: { leadId: order.leadId },
      _min: { attempt: true },
    });
    expect(oldest.attempt).toBe(701);
  });

  test('stores what waits when it is closed, and drops what Postgres does not take then', async ({ database }) => {
    const order = await takeIn(database);
    const good = await openLedger(database);
    good.ledger.note(endOf(order));
    await good.ledger.close();
    expect(await countOf(database, order.leadId)).toBe(1);

    const bad = await openLedger(database);
    await bad.proxy.close();
    bad.ledger.note(endOf(order));
    await within(bad.ledger.close(), 'it does not close');
    expect(await countOf(database, order.leadId)).toBe(1);
    expect(await bad.dropped('stopped')).toBe(1);
  });

  test('that lost the answer of Postgres stores nothing twice', async ({ database, opened }) => {
    const order = await takeIn(database);
    opened.ledger.note(endOf(order));
    await expect.poll(() => countOf(database, order.leadId)).toBe(1); // it is connected
    opened.proxy.muteAnswers(true);
    opened.ledger.note(endOf(order));
    await expect.poll(() => countOf(database, order.leadId)).toBe(2);
    opened.proxy.muteAnswers(false);
    opened.proxy.cut();
    opened.ledger.note(endOf(order));
    await expect.poll(() => countOf(database, order.leadId)).toBe(3);
    await opened.ledger.close();
    expect(await countOf(database, order.leadId)).toBe(3);
  });

  test('goes on after what Postgres refuses, and keeps what it can of hostile errors', async ({ database, opened }) => {
    const order = await takeIn(database);
    opened.ledger.note(endOf({ ...order, organizationId: 'org\0' }));
    await expect.poll(() => opened.dropped('refused')).toBe(1);
    const failure = { type: 'A\0B', message: `half \ud800 and ${'long'.repeat(100)}` };
    opened.ledger.note(endOf(order, { outcome: 'gave_up', failure }));
    for (const input of [undefined, null, 'lead', {}, { leadId: 'joao@example.com', organizationId: 'org-123' }])
      opened.ledger.note(endOf(order, { input }));
    await expect.poll(() => countOf(database, order.leadId)).toBe(1);
    const row = await database.prisma.stepAttempt.findFirstOrThrow({ where: { leadId: order.leadId } });
    expect(row).toMatchObject({ errorType: 'AB', outcome: 'gave_up' });
    expect(row.reason).toMatch(/^half \ufffd and long/);
    expect(row.reason).toHaveLength(200);
    expect(await opened.dropped('refused')).toBe(1);
  });
});

describe('sweeping attempts', () => {
  test('deletes what ended so many days ago, batch by batch, by several relays at once, and nothing else', async ({
    database,
  }) => {
    const { leadId, organizationId } = await takeIn(database);
    const add = (count: number, age: string) =>
      database.pool.query(
        `INSERT INTO step_attempt
         SELECT $1, $2, 'scoreLead', 'lead', 'w', gen_random_uuid(), '1', 1, now() - $4::interval, now() - $4::interval,
                now() - $4::interval, 'completed' FROM generate_series(1, $3::int)`,
        [leadId, organizationId, count, age],
      );
    await add(2_500, '7 days 1 second');
    await add(3, '6 days 23 hours');
    const swept = await Promise.all([1, 2, 3].map(() => sweepAttempts(database.pool, 7)));
    expect(swept.reduce((sum, count) => sum + count, 0)).toBe(2_500);
    expect(await countOf(database, leadId)).toBe(3);
    expect(await sweepAttempts(database.pool, 7)).toBe(0);
    expect(await sweepAttempts(database.pool, 6)).toBe(3);
  });
});
