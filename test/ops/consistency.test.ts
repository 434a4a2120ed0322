import { describe, expect, onTestFinished } from 'vitest';
import { onboardingWorkflowId } from '../../workflows/contract.ts';
import type { Consistency } from '../../src/ops/answers.ts';
import { describeConsistency } from '../../src/ops/text.ts';
import { freePort } from '../../src/local/ports.ts';
import { openTemporal } from '../../src/temporal/connection.ts';
import { type Call, createTestApi, testWithoutStarts as test } from '../support/api.ts';
import { takeIn } from '../support/onboarding.ts';
import { loseRun, reconcilerPass, untilRunning } from '../support/reconciler.ts';
import { carrierTo } from '../support/relay.ts';
import { createTestClient, testNamespace } from '../support/temporal.ts';

/** Compares all, page by page. */
async function compareAll(call: Call, body: object = {}): Promise<Consistency> {
  const all: Consistency = { checked: 0, differences: [], repaired: 0, nextCursor: null };
  for (let cursor: string | undefined; ;) {
    const { status, body: look } = await call<Consistency>('POST', '/ops/consistency', { ...body, cursor });
    expect(status).toBe(200);
    all.checked += look.checked;
    all.repaired += look.repaired;
    all.differences.push(...look.differences);
    if (look.nextCursor === null) return all;
    cursor = look.nextCursor;
  }
}

describe('POST /ops/consistency', () => {
  test('tells what Postgres and Temporal do not agree about, and has what was lost ordered again', async ({
    api,
    database,
  }) => {
    const client = createTestClient();
    const start = async (order: Awaited<ReturnType<typeof takeIn>>) => {
      await carrierTo(client)(order);
      await database.pool.query('DELETE FROM outbox WHERE lead_id = $1', [order.leadId]);
      return client.workflow.getHandle(onboardingWorkflowId(order.leadId));
    };
    const [fine, missing, ended, over, waiting] = await Promise.all(
      Array.from({ length: 5 }, () => takeIn(database, {}, 600_000)),
    );
    if (!fine || !missing || !ended || !over || !waiting) throw new Error('never');
    const runs = { fine: await start(fine), ended: await start(ended), over: await start(over) };
    onTestFinished(async () => {
      for (const run of [runs.fine, runs.over]) await run.terminate('the test is over');
      await client.connection.close();
    });
    await database.pool.query('DELETE FROM outbox WHERE lead_id = $1', [missing.leadId]);
    await loseRun(runs.ended);
    await untilRunning([runs.fine.workflowId, runs.over.workflowId]);
    await database.pool.query(`UPDATE onboarding SET state = 'COMPLETED' WHERE lead_id = $1`, [over.leadId]);
    await database.pool.query('DELETE FROM watch WHERE lead_id = $1', [over.leadId]);
    const ours = [fine, missing, ended, over, waiting].map(({ leadId }) => leadId);
    const found = async (body?: object) => {
      const all = await compareAll(api.call, body);
      return { ...all, differences: all.differences.filter(({ leadId }) => ours.includes(leadId)) };
    };

    // They are too young to be missed, or to have ended.
    expect((await found()).differences).toEqual([]);
    await database.pool.query(
      `UPDATE watch SET since = now() - interval '1 minute', look_after = now() + interval '1 hour'`,
    );
    await database.pool.query(`
      ALTER TABLE onboarding DISABLE TRIGGER USER;
      UPDATE onboarding SET changed_at = now() - interval '1 minute';
      ALTER TABLE onboarding ENABLE TRIGGER USER`);
    const differing = await found();
    const of = { organizationId: 'org-123', run: 'onboarding' };
    expect(differing.differences).toEqual(
      expect.arrayContaining([
        { leadId: missing.leadId, ...of, postgres: 'PENDING', temporal: 'MISSING' },
        { leadId: ended.leadId, ...of, postgres: 'PENDING', temporal: 'TERMINATED' },
        { leadId: over.leadId, ...of, postgres: 'COMPLETED', temporal: 'RUNNING' },
      ]),
    );
    expect(differing).toMatchObject({ repaired: 0, differences: { length: 3 } });
    expect(describeConsistency(differing)).toMatch(
      new RegExp(`${missing.leadId} +org-123 +onboarding +PENDING +MISSING`),
    );
    expect(await reconcilerPass(database)).toMatchObject({ 'ordered again': 0 }); // not for an hour

    expect(await found({ repair: true, reason: 'The disk of Temporal was restored' })).toMatchObject({ repaired: 2 });
    expect(await reconcilerPass(database)).toMatchObject({ 'ordered again': 2 });
    expect((await found()).differences.map(({ leadId }) => leadId)).toEqual([over.leadId]);
    const { text } = await api.call<string>('GET', '/ops/audit');
    expect(text).toMatch(/"consistency\.repaired".*The disk of Temporal was restored/);
  });

  test('wants a reason for a repair, and a cursor of its own', async ({ api }) => {
    const call = (body: object) => api.call('POST', '/ops/consistency', body);
    expect(await call({ repair: true })).toMatchObject({ status: 400, body: { errors: [{ path: 'reason' }] } });
    for (const cursor of ['nonsense', Buffer.from('{}').toString('base64url')])
      expect(await call({ cursor })).toMatchObject({ status: 400, body: { errors: [{ path: 'cursor' }] } });
  });

  test('says when Temporal does not', async ({ database }) => {
    const connectionOptions = { address: `127.0.0.1:${await freePort()}` };
    const temporal = openTemporal({ connectionOptions, namespace: testNamespace() });
    const api = createTestApi(database, { client: temporal.client, slots: 0 });
    onTestFinished(() => temporal.close());
    const { leadId } = await takeIn(database, {}, 600_000);
    await database.pool.query('DELETE FROM outbox WHERE lead_id = $1', [leadId]);
    await database.pool.query(`UPDATE watch SET since = now() - interval '1 minute' WHERE lead_id = $1`, [leadId]);
    expect(await api.call('POST', '/ops/consistency', {})).toMatchObject({ status: 503 });
  });
});
