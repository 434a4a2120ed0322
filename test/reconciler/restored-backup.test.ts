import { beforeEach, describe, expect } from 'vitest';
import { updateLead } from '../../src/leads/update.ts';
import { assigneeNotificationWorkflowId, onboardingWorkflowId } from '../../workflows/contract.ts';
import type { TestDatabase } from '../support/database.ts';
import { recordLog } from '../support/log.ts';
import { test } from '../support/onboarding.ts';
import { reconcilerPass, untilEnded } from '../support/reconciler.ts';
import { carrierTo, relayOnce } from '../support/relay.ts';
import { createTestClient } from '../support/temporal.ts';

const FAR_AWAY_MS = 600_000;

const client = createTestClient();
const { log, lines } = recordLog();
const relay = ({ pool }: TestDatabase) => relayOnce({ pool, carryOut: carrierTo(client), log });
const leadOf = ({ prisma }: TestDatabase, id: string) => prisma.lead.findUniqueOrThrow({ where: { id } });

/** Takes a lead whose run has ended back to the moment after its intake, when its order had been carried out. */
async function restore({ pool }: TestDatabase, leadId: string): Promise<void> {
  await untilEnded(onboardingWorkflowId(leadId));
  await pool.query('DELETE FROM outbox');
  await pool.query('DELETE FROM notification WHERE lead_id = $1', [leadId]);
  await pool.query('DELETE FROM lead_event WHERE lead_id = $1 AND step_key IS NOT NULL', [leadId]);
  await pool.query(`UPDATE onboarding SET state = 'PENDING', accepted_commands = '{}' WHERE lead_id = $1`, [leadId]);
  await pool.query('DELETE FROM lead_score WHERE lead_id = $1', [leadId]);
  await pool.query('DELETE FROM lead_enrichment WHERE lead_id = $1', [leadId]);
  await pool.query(
    `INSERT INTO watch (lead_id, run, organization_id) SELECT lead_id, 'onboarding', organization_id FROM onboarding
     WHERE lead_id = $1 ON CONFLICT DO NOTHING`,
    [leadId],
  );
}

beforeEach<{ database: TestDatabase }>(async ({ database }) => {
  await database.pool.query('DELETE FROM outbox');
  await database.pool.query('DELETE FROM lead');
});

describe('after Postgres was restored from an older backup', () => {
  test('a lead whose run has completed is onboarded again', async ({ database, onboard }) => {
    const run = await onboard();
    await run.handle.result();
    const before = await run.timeline();
    await restore(database, run.leadId);
    expect(await reconcilerPass(database, { log })).toMatchObject({ 'ordered again': 1 });
    expect(lines.at(-1)).toMatchObject({ leadId: run.leadId, run: 'COMPLETED' });

    await relay(database);
    await expect.poll(() => leadOf(database, run.leadId)).toMatchObject({ onboardingState: 'COMPLETED', score: 85 });
    expect((await run.timeline()).toSorted()).toEqual(before.toSorted()); // the notification is in a race with the rest
    expect(await database.prisma.notification.count({ where: { leadId: run.leadId } })).toBe(1);
  });

  test('a lead whose run was canceled is canceled again', async ({ database, onboard }) => {
    const run = await onboard({ delayMs: FAR_AWAY_MS });
    await expect.poll(() => run.timeline()).toContain('notification.created');
    await run.handle.cancel();
    await expect(run.handle.result()).rejects.toThrow();
    await restore(database, run.leadId);
    expect(await reconcilerPass(database)).toMatchObject({ canceled: 1 });
    expect(await leadOf(database, run.leadId)).toMatchObject({ onboardingState: 'CANCELED' });
  });

  test('a lead in a later round than its canceled run is onboarded', async ({ database, onboard }) => {
    const run = await onboard({ delayMs: FAR_AWAY_MS });
    await run.handle.cancel();
    await expect(run.handle.result()).rejects.toThrow();
    await restore(database, run.leadId);
    await database.prisma.onboarding.update({ where: { leadId: run.leadId }, data: { round: 2 } });
    expect(await reconcilerPass(database)).toMatchObject({ canceled: 0, 'ordered again': 1 });
    await relay(database);
    await expect.poll(() => leadOf(database, run.leadId)).toMatchObject({ onboardingState: 'COMPLETED' });
  });

  test('the run of a lead that there is not any more ends quietly', async ({ database, onboard }) => {
    const run = await onboard({ delayMs: 2_000 });
    await database.prisma.leadRecord.delete({ where: { id: run.leadId } });
    expect(await run.handle.result()).toMatchObject({ state: 'CANCELED' });
  });

  test('a later assignee is told although the run that told them has completed', async ({ database, onboard }) => {
    const run = await onboard();
    await run.handle.result();
    const caller = { keyId: null, userId: null, ipAddress: null, userAgent: null, requestId: 'request-1' };
    await updateLead(database.prisma, run.leadId, { assignedTo: 'user-789' }, caller);
    await relay(database);
    const telling = assigneeNotificationWorkflowId(run.leadId, 2);
    await client.workflow.getHandle(telling).result();
    await untilEnded(telling);
    const told = () => database.prisma.notification.count({ where: { leadId: run.leadId, assignment: 2 } });
    await database.prisma.notification.deleteMany({ where: { leadId: run.leadId, assignment: 2 } });
    const { organizationId } = run.order;
    await database.prisma.watch.create({ data: { leadId: run.leadId, run: 'assignment-2', organizationId } });
    expect(await reconcilerPass(database)).toMatchObject({ 'ordered again': 1 });
    await relay(database);
    await expect.poll(told).toBe(1);
  });
});
