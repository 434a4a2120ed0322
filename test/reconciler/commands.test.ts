import { beforeEach, describe, expect } from 'vitest';
import { acceptCommand, type Command } from '../../src/onboarding/command.ts';
import { onboardingWorkflowId } from '../../workflows/contract.ts';
import type { TestDatabase } from '../support/database.ts';
import { recordLog } from '../support/log.ts';
import { type Onboarding, takeIn, test } from '../support/onboarding.ts';
import { loseRun, reconcilerPass } from '../support/reconciler.ts';
import { carrierTo, relayOnce } from '../support/relay.ts';
import { createTestClient } from '../support/temporal.ts';

const FAR_AWAY_MS = 600_000;

const client = createTestClient();
const { log } = recordLog();
const relay = ({ pool }: TestDatabase) => relayOnce({ pool, carryOut: carrierTo(client), log });

const reconcile = (database: TestDatabase) => reconcilerPass(database, { enrichmentDelayMs: FAR_AWAY_MS });

const accept = ({ prisma }: TestDatabase, leadId: string, command: Command) =>
  acceptCommand(prisma, leadId, command, {
    caller: { keyId: null, userId: null, ipAddress: null, userAgent: null, requestId: 'request-1' },
    enrichmentDelayMs: FAR_AWAY_MS,
    orderDelayMs: 0,
  });

const leadOf = ({ prisma }: TestDatabase, id: string) => prisma.lead.findUniqueOrThrow({ where: { id } });

/** A lead in the middle of its wait. */
async function waiting(database: TestDatabase, onboard: (options: object) => Promise<Onboarding>): Promise<Onboarding> {
  const run = await onboard({ delayMs: FAR_AWAY_MS });
  await expect.poll(() => run.timeline()).toContain('notification.created');
  await database.pool.query('DELETE FROM outbox');
  return run;
}

beforeEach<{ database: TestDatabase }>(async ({ database }) => {
  await database.pool.query('DELETE FROM outbox');
  await database.pool.query('DELETE FROM lead');
});

describe('an accepted command', () => {
  test.for(['before', 'after'] as const)(
    'cancel outlives its run that is lost %s it was passed on: the onboarding is closed, not begun again',
    async (moment, { database, onboard }) => {
      const run = await waiting(database, onboard);
      if (moment === 'before') await loseRun(run.handle);
      await accept(database, run.leadId, 'cancel');
      if (moment === 'after') {
        await loseRun(run.handle);
        await database.pool.query('DELETE FROM outbox');
      }
      expect(await reconcile(database)).toMatchObject({ canceled: 1, 'ordered again': 0 });
      expect(await leadOf(database, run.leadId)).toMatchObject({ onboardingState: 'CANCELED' });
      expect((await run.timeline()).at(-1)).toBe('onboarding.canceled');
      expect(await database.prisma.outbox.count()).toBe(0);
      const entry = { leadId_stepKey: { leadId: run.leadId, stepKey: '1/outcome' } };
      expect(await database.prisma.leadEvent.findUnique({ where: entry })).toMatchObject({
        data: { state: 'CANCELED', reason: 'RunLost' },
        metadata: { requestId: expect.stringMatching(/^reconciler-/) as string },
      });
    },
  );

  test('cancel reaches the run that takes the place of a lost one, although that was ordered before', async ({
    database,
    onboard,
  }) => {
    const run = await waiting(database, onboard);
    await loseRun(run.handle);
    expect(await reconcile(database)).toMatchObject({ 'ordered again': 1 });
    await accept(database, run.leadId, 'cancel');
    const start = { kind: 'START_ONBOARDING' } as const;
    await database.prisma.outbox.updateMany({ where: start, data: { availableAt: new Date(Date.now() + 60_000) } });
    await relay(database);
    await database.prisma.outbox.updateMany({ where: start, data: { availableAt: new Date(0) } });
    const left = async () => {
      await relay(database);
      return database.prisma.outbox.count();
    };
    await expect.poll(left).toBe(0);
    await expect.poll(() => leadOf(database, run.leadId)).toMatchObject({ onboardingState: 'CANCELED' });
  });

  test('skip-enrichment holds for the run that takes the place of a lost one', async ({ database, onboard }) => {
    const run = await waiting(database, onboard);
    await loseRun(run.handle);
    await accept(database, run.leadId, 'skip-enrichment');
    await database.pool.query('DELETE FROM outbox');
    expect(await reconcile(database)).toMatchObject({ 'ordered again': 1 });
    await relay(database);
    await expect.poll(() => leadOf(database, run.leadId)).toMatchObject({ onboardingState: 'COMPLETED' });
    expect((await run.timeline()).slice(-3)).toEqual([
      'enrichment.skipped',
      'score.calculated',
      'onboarding.completed',
    ]);
  });

  test('enrich-now holds for the run that takes the place of a lost one', async ({ database, onboard }) => {
    const run = await waiting(database, onboard);
    await loseRun(run.handle);
    await accept(database, run.leadId, 'enrich-now');
    await database.pool.query('DELETE FROM outbox');
    await reconcile(database);
    await relay(database);
    await expect.poll(() => leadOf(database, run.leadId)).toMatchObject({ onboardingState: 'COMPLETED' });
    expect(await run.timeline()).toContain('enrichment.completed');
  });

  test('is remembered once, and not in the next round', async ({ database }) => {
    const { leadId } = await takeIn(database);
    await accept(database, leadId, 'enrich-now');
    await accept(database, leadId, 'cancel');
    await accept(database, leadId, 'enrich-now');
    expect(await leadOf(database, leadId)).toMatchObject({ acceptedCommands: ['enrichNow', 'cancel'] });
    await database.prisma.onboarding.update({ where: { leadId: leadId }, data: { state: 'CANCELED' } });
    await accept(database, leadId, 'retry');
    expect(await leadOf(database, leadId)).toMatchObject({ acceptedCommands: [], onboardingRound: 2 });

    await database.pool.query('DELETE FROM outbox');
    expect(await reconcile(database)).toMatchObject({ 'ordered again': 1 });
    await relay(database);
    const handle = client.workflow.getHandle(onboardingWorkflowId(leadId));
    expect((await handle.describe()).memo).toEqual({ round: 2 });
    await handle.terminate('by the test');
  });
});
