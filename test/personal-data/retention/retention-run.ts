import type { Client, WorkflowHandle } from '@temporalio/client';
import { expect } from 'vitest';
import { applyRetentionSchedule } from '../../../src/personal-data/retention/schedule.ts';
import { RETENTION_SCHEDULE_ID } from '../../../workflows/retention-contract.ts';
import type { retention } from '../../../workflows/index.ts';
import type { TestDatabase } from '../../support/database.ts';

/** Leads are kept for so long here. */
export const DAYS = 30;

/** Triggers the Schedule, as an operator would. @returns the run that this has started */
export async function trigger(client: Client): Promise<WorkflowHandle<typeof retention>> {
  await applyRetentionSchedule(client, DAYS);
  const schedule = client.schedule.getHandle(RETENTION_SCHEDULE_ID);
  await schedule.trigger();
  const started = async () => (await schedule.describe()).info.recentActions.at(-1)?.action.workflow;
  await expect.poll(started).toBeDefined();
  const { workflowId, firstExecutionRunId } = (await started()) ?? {};
  return client.workflow.getHandle(workflowId ?? '', firstExecutionRunId);
}

/** Which of these leads were erased; each of them once. */
export async function erasedOf({ prisma }: TestDatabase, leadIds: string[]): Promise<string[]> {
  const where = { leadId: { in: leadIds }, type: 'lead.erased' };
  const entries = await prisma.leadEvent.findMany({ where });
  const erased = entries.map(({ leadId }) => leadId);
  expect(new Set(erased).size).toBe(erased.length);
  expect(await prisma.leadEvent.count({ where: { leadId: { in: erased } } })).toBe(erased.length);
  expect(await prisma.lead.count({ where: { id: { in: erased } } })).toBe(0);
  return leadIds.filter((id) => erased.includes(id));
}
