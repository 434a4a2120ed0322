import { randomUUID } from 'node:crypto';
import { describe, expect, onTestFinished } from 'vitest';
import type { Lead } from '../../src/leads/lead.ts';
import type { Command } from '../../src/onboarding/command.ts';
import { createTestApi, newLead, test, type TestApi } from '../support/api.ts';
import type { TestDatabase } from '../support/database.ts';
import { recordLog } from '../support/log.ts';
import { takeIn } from '../support/onboarding.ts';
import { expectProblem } from '../support/problem.ts';
import { carrierTo, relayOnce } from '../support/relay.ts';
import { countRows } from '../support/rows.ts';
import { createClientOfNobody, createTestClient } from '../support/temporal.ts';
import { startWorkers } from '../support/workers.ts';

const FAR_AWAY_MS = 600_000;

const command = (api: TestApi, leadId: string, name: Command) =>
  api.call('POST', `/api/leads/${leadId}/onboarding/${name}`);

const stateOf = async ({ prisma }: TestDatabase, id: string) =>
  (await prisma.lead.findUniqueOrThrow({ where: { id } })).onboardingState;

/** Carries out what stands in the outbox, as the relay does, until nothing is left. */
async function drainOutbox({ pool }: TestDatabase): Promise<void> {
  const client = createTestClient();
  const { log } = recordLog();
  const round = async () => {
    await pool.query("UPDATE outbox SET available_at = now() - interval '1 second'");
    await relayOnce({ pool, log, carryOut: carrierTo(client) });
    return (await pool.query('SELECT 1 FROM outbox')).rowCount;
  };
  await expect.poll(round).toBe(0);
  await client.connection.close();
}

describe('POST /api/leads/{id}/onboarding/{command}', () => {
  test('enrich-now ends the wait', async ({ api, onboard, database }) => {
    const run = await onboard({ delayMs: FAR_AWAY_MS });
    await expect.poll(() => stateOf(database, run.leadId)).toBe('RUNNING');
    const answer = await command(api, run.leadId, 'enrich-now');
    expect(answer).toMatchObject({ status: 202, body: { command: 'enrich-now', state: 'RUNNING' } });
    expect(await run.handle.result()).toMatchObject({ state: 'COMPLETED', enrichment: 'completed' });
    await api.idle();
    expect(await database.prisma.outbox.count({ where: { leadId: run.leadId, kind: 'SIGNAL_ONBOARDING' } })).toBe(0);
  });

  test('skip-enrichment scores without it', async ({ api, onboard }) => {
    const run = await onboard({ delayMs: FAR_AWAY_MS });
    expect((await command(api, run.leadId, 'skip-enrichment')).status).toBe(202);
    expect(await run.handle.result()).toMatchObject({ state: 'COMPLETED', enrichment: 'skipped' });
    expect(await run.timeline()).toContain('enrichment.skipped');
  });

  test('cancel ends the onboarding', async ({ api, onboard, database }) => {
    const run = await onboard({ delayMs: FAR_AWAY_MS });
    await expect.poll(() => stateOf(database, run.leadId)).toBe('RUNNING');
    const answer = await command(api, run.leadId, 'cancel');
    expect(answer.status).toBe(202);
    const where = { leadId: run.leadId, type: 'command.accepted' };
    const accepted = { data: { command: 'cancel' }, metadata: { requestId: answer.headers.get('x-request-id') } };
    expect(await database.prisma.leadEvent.findMany({ where })).toMatchObject([accepted]);
    await expect(run.handle.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
    expect(await stateOf(database, run.leadId)).toBe('CANCELED');
    expect((await run.timeline()).at(-1)).toBe('onboarding.canceled');
    expect((await run.handle.describe()).status.name).toBe('CANCELLED');
  });

  test('is taken before there is a run, and carried out once there is', async ({ database }) => {
    const api = createTestApi(database, { slots: 0 });
    const { body } = await api.call<Lead>('POST', '/api/leads', newLead());
    expect(await command(api, body.id, 'cancel')).toMatchObject({
      status: 202,
      body: { command: 'cancel', state: 'PENDING' },
    });
    const workers = await startWorkers(database, recordLog().log);
    onTestFinished(() => workers.stop());
    await drainOutbox(database);
    await expect.poll(() => stateOf(database, body.id)).toBe('CANCELED');
  });

  test('is taken while Temporal is down, and stays in the outbox', async ({ database }) => {
    const nobody = await createClientOfNobody();
    const api = createTestApi(database, { client: nobody });
    const { leadId } = await takeIn(database);
    const answer = await command(api, leadId, 'skip-enrichment');
    expect(answer.status).toBe(202);
    await api.idle();
    const orders = await database.prisma.outbox.findMany({ where: { leadId, kind: 'SIGNAL_ONBOARDING' } });
    expect(orders).toMatchObject([
      {
        status: 'PENDING',
        organizationId: 'org-123',
        payload: { signal: 'skipEnrichment', requestId: answer.headers.get('x-request-id') },
        lastError: expect.stringMatching(/^gRPC (4|14)/) as string,
      },
    ]);
    await api.close();
    await database.prisma.outbox.deleteMany({ where: { leadId } });
  });
});

describe('a command that comes too late or too early is refused with 409, and orders nothing:', () => {
  async function expectConflict(api: TestApi, database: TestDatabase, leadId: string, names: Command[]) {
    const before = await countRows(database);
    for (const name of names) expectProblem(await command(api, leadId, name), 409, 'conflict');
    expect(await countRows(database)).toEqual(before);
  }

  test('all of them once the onboarding is complete', async ({ api, onboard, database }) => {
    const run = await onboard();
    await run.handle.result();
    await expectConflict(api, database, run.leadId, ['enrich-now', 'skip-enrichment', 'cancel', 'retry']);
  });

  test('retry while it is pending or running', async ({ api, database }) => {
    const { leadId } = await takeIn(database);
    await expectConflict(api, database, leadId, ['retry']);
    await database.prisma.onboarding.update({ where: { leadId: leadId }, data: { state: 'RUNNING' } });
    await expectConflict(api, database, leadId, ['retry']);
  });

  test('what is about the enrichment once that is done', async ({ api, onboard, database }) => {
    let release = () => {};
    const held = new Promise<null>((resolve) => {
      release = () => resolve(null);
    });
    const run = await onboard({
      activities: { notifyAssignee: () => held.then(() => ({ outcome: 'skipped' as const })) },
    });
    await expect.poll(() => run.timeline()).toContain('score.calculated');
    await expectConflict(api, database, run.leadId, ['enrich-now', 'skip-enrichment', 'retry']);
    release();
    await run.handle.result();
  });

  test.for(['CANCELED', 'FAILED', 'PARTIAL'] as const)(
    'all but retry when it is %s',
    async (onboardingState, { api, database }) => {
      const { leadId } = await takeIn(database);
      await database.prisma.onboarding.update({ where: { leadId: leadId }, data: { state: onboardingState } });
      await expectConflict(api, database, leadId, ['enrich-now', 'skip-enrichment', 'cancel']);
    },
  );
});

describe('a command', () => {
  test.for(['enrich-now', 'skip-enrichment', 'cancel', 'retry'] as const)(
    'is 404 for a lead that there is not: %s',
    async (name, { api, database }) => {
      const before = await countRows(database);
      expectProblem(await command(api, randomUUID(), name), 404, 'not-found');
      expect(await countRows(database)).toEqual(before);
    },
  );

  test('that there is not is 404', async ({ api, database }) => {
    const { leadId } = await takeIn(database);
    expectProblem(await command(api, leadId, 'restart' as Command), 404, 'not-found');
  });

  test('gives its slot back when it is refused', async ({ api, database }) => {
    for (let i = 0; i < 10; i += 1) await command(api, randomUUID(), 'cancel');
    const { body } = await api.call<Lead>('POST', '/api/leads', newLead());
    await api.idle();
    expect(await database.prisma.outbox.count({ where: { leadId: body.id } })).toBe(0);
  });
});
