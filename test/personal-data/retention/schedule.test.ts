import { Client, Connection, ScheduleNotFoundError } from '@temporalio/client';
import { afterEach, beforeEach, describe, expect, inject, it, onTestFinished } from 'vitest';
import { keepRetentionSchedule } from '../../../src/personal-data/retention/keep-schedule.ts';
import { applyRetentionSchedule } from '../../../src/personal-data/retention/schedule.ts';
import { TASK_QUEUES } from '../../../workflows/contract.ts';
import { RETENTION, RETENTION_SCHEDULE_ID } from '../../../workflows/retention-contract.ts';
import { recordLog } from '../../support/log.ts';
import { startTcpProxy } from '../../support/tcp-proxy.ts';
import { createTestClient, testNamespace } from '../../support/temporal.ts';

let client: Client;

beforeEach(() => {
  client = createTestClient();
});

afterEach(async () => {
  await applyRetentionSchedule(client, undefined);
  await client.connection.close();
});

const describeSchedule = () => client.schedule.getHandle(RETENTION_SCHEDULE_ID).describe();

describe('the Schedule of retention', () => {
  it('runs every night, with the period as input, and one run at a time', async () => {
    await applyRetentionSchedule(client, 30);
    const { spec, action, policies, info } = await describeSchedule();
    expect(spec.calendars).toMatchObject([{ hour: [{ start: 3, end: 3 }], minute: [{ start: 0, end: 0 }] }]);
    expect(action).toMatchObject({
      workflowType: RETENTION,
      taskQueue: TASK_QUEUES.onboarding,
      args: [{ retentionDays: 30, pageSize: 100, pagesPerRun: 100 }],
    });
    expect(policies.overlap).toBe('SKIP');
    const [next = new Date(0), afterNext = new Date(0)] = info.nextActionTimes;
    const hours = (afterNext.getTime() - next.getTime()) / 3_600_000;
    expect(hours).toBeGreaterThan(23);
    expect(hours).toBeLessThan(25);
  });

  it('follows the setting, stays paused when an operator has paused it, and goes with the setting', async () => {
    await applyRetentionSchedule(client, 30);
    await client.schedule.getHandle(RETENTION_SCHEDULE_ID).pause('looked into');
    await applyRetentionSchedule(client, 60);
    const { action, state } = await describeSchedule();
    expect(action).toMatchObject({ args: [expect.objectContaining({ retentionDays: 60 })] });
    expect(state).toMatchObject({ paused: true, note: 'looked into' });

    for (let i = 0; i < 2; i += 1) {
      await applyRetentionSchedule(client, undefined);
      await expect(describeSchedule()).rejects.toBeInstanceOf(ScheduleNotFoundError);
    }
    await applyRetentionSchedule(client, 90);
    expect((await describeSchedule()).state.paused).toBe(false);
  });

  it('is set once Temporal, which was away, is back', async () => {
    const proxy = await startTcpProxy(Number(inject('temporalAddress').split(':')[1]));
    const connection = Connection.lazy({ address: `127.0.0.1:${proxy.port}` });
    const stopping = new AbortController();
    const { log, lines } = recordLog();
    proxy.setSilent(true);
    const temporal = { client: new Client({ connection, namespace: testNamespace() }) };
    const kept = keepRetentionSchedule(temporal, { retentionDays: 30, log, signal: stopping.signal });
    onTestFinished(async () => {
      stopping.abort();
      await kept;
      await connection.close();
      await proxy.close();
    });
    await expect.poll(() => lines.length).toBe(1);
    expect(lines[0]).toMatchObject({ level: 40, msg: 'schedule of the retention not set yet' });
    proxy.setSilent(false);
    proxy.cut();
    await expect
      .poll(() => describeSchedule().then(({ action }) => action.args, String))
      .toEqual([{ retentionDays: 30, pageSize: 100, pagesPerRun: 100 }]);
  });
});
