import { describe, expect } from 'vitest';
import { closeOnboarding } from '../../src/onboarding/close.ts';
import type { CloseInput } from '../../workflows/contract.ts';
import { refOf, runActivity } from '../support/activity.ts';
import type { TestDatabase } from '../support/database.ts';
import { takeIn, test } from '../support/onboarding.ts';

/** Closes the first round of a new lead, as the activity does, and tells its timeline and its state. */
async function close({ prisma }: TestDatabase, input: CloseInput) {
  const result = await runActivity((all: CloseInput) => prisma.$transaction((tx) => closeOnboarding(tx, all)), input);
  const entries = await prisma.leadEvent.findMany({ where: { leadId: input.leadId }, orderBy: { seq: 'asc' } });
  const { state } = await prisma.onboarding.findUniqueOrThrow({ where: { leadId: input.leadId } });
  return { result, state, entries: entries.slice(1).map(({ type, stepKey, data }) => ({ type, stepKey, data })) };
}

const pending = { outcome: 'pending' } as const;

describe('closing an onboarding', () => {
  test('notes a notification that gave up, and how the round has ended, each under its step', async ({ database }) => {
    const ref = refOf(await takeIn(database));
    const notification = { outcome: 'failed', reason: 'Refused' } as const;
    expect(await close(database, { ...ref, verdict: 'failed', notification, reason: 'Broken' })).toEqual({
      result: { state: 'FAILED' },
      state: 'FAILED',
      entries: [
        { type: 'notification.failed', stepKey: '1/notification', data: { reason: 'Refused' } },
        { type: 'onboarding.failed', stepKey: '1/outcome', data: { state: 'FAILED', reason: 'Broken' } },
      ],
    });
  });

  test('notes no failure of a notification that is only out still', async ({ database }) => {
    const ref = refOf(await takeIn(database));
    const closed = await close(database, { ...ref, verdict: 'settled', notification: pending });
    expect(closed.entries.map(({ type }) => type)).toEqual(['onboarding.failed']);
  });

  test.for([
    ['has ended before', { state: 'COMPLETED' }],
    ['is in another round', { state: 'RUNNING', round: 2 }],
  ] as const)('leaves one alone that %s', async ([, data], { database }) => {
    const ref = refOf(await takeIn(database));
    await database.prisma.onboarding.update({ where: { leadId: ref.leadId }, data });
    const closed = await close(database, { ...ref, verdict: 'canceled', notification: pending });
    expect(closed).toEqual({ result: { state: data.state }, state: data.state, entries: [] });
  });
});
