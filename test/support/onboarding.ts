import { WorkflowNotFoundError, type WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import { test as base } from 'vitest';
import { EXAMPLE_LEAD } from '../../src/leads/example-lead.ts';
import { intakeLead } from '../../src/leads/intake.ts';
import { type Submission, submissionSchema } from '../../src/leads/submission.ts';
import { readTimeline } from '../../src/leads/timeline.ts';
import type { StartOrder } from '../../src/outbox/order.ts';
import type { FailurePolicy } from '../../src/temporal/failure-limit.ts';
import type { StepEnd } from '../../src/temporal/step-metrics.ts';
import { onboardingWorkflowId } from '../../workflows/contract.ts';
import type { leadOnboarding } from '../../workflows/index.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { type LogLine, recordLog } from './log.ts';
import { createTestClient, historyText, replay } from './temporal.ts';
import { carrierTo } from './relay.ts';
import { type ActivityOverrides, startWorkers } from './workers.ts';

export const SEED_LEAD = EXAMPLE_LEAD;

export interface OnboardOptions {
  activities?: ActivityOverrides;
  /** By default that of production. */
  failurePolicy?: FailurePolicy;
  onStepEnd?: (end: StepEnd) => void;
  lead?: Partial<Submission>;
  delayMs?: number;
}

export interface Onboarding {
  leadId: string;
  order: StartOrder;
  handle: WorkflowHandleWithFirstExecutionRunId<typeof leadOnboarding>;
  log: LogLine[];
  timeline(): Promise<string[]>;
}

interface Fixtures {
  database: TestDatabase;
  /** Takes a lead in and starts its onboarding on real workers. When the test ends, its history is replayed. */
  onboard(options?: OnboardOptions): Promise<Onboarding>;
}

let emails = 0;

function unlessEnded(err: unknown): void {
  if (!(err instanceof WorkflowNotFoundError)) throw err;
}

export const test = base.extend<Fixtures>({
  database: [
    async ({}, use) => {
      const database = await createTestDatabase();
      await use(database);
      await database.drop();
    },
    { scope: 'file' },
  ],

  onboard: async ({ database }, use) => {
    const client = createTestClient();
    const { log, lines } = recordLog();
    const started: Onboarding[] = [];
    const workers: Awaited<ReturnType<typeof startWorkers>>[] = [];

    await use(async ({ activities, failurePolicy, onStepEnd, lead, delayMs = 50 } = {}) => {
      if (workers.length === 0)
        workers.push(await startWorkers(database, log, activities, undefined, failurePolicy, { onStepEnd }));
      const order = await takeIn(database, lead, delayMs);
      await carrierTo(client, log)(order);
      const handle = client.workflow.getHandle<typeof leadOnboarding>(onboardingWorkflowId(order.leadId));
      const onboarding = {
        leadId: order.leadId,
        order,
        handle: handle as Onboarding['handle'],
        log: lines,
        timeline: async () => {
          const { items } = await readTimeline(database.prisma, { leadId: order.leadId, limit: 500 });
          return items.map(({ type }) => type);
        },
      };
      started.push(onboarding);
      return onboarding;
    });

    try {
      for (const { handle } of started) {
        await handle.terminate('the test is over').catch(unlessEnded);
        await replay(handle);
      }
    } finally {
      await Promise.all(workers.map((worker) => worker.stop()));
      await client.connection.close();
    }
  },
});

/** Stores a lead as the API does. @returns the order to onboard it. */
export async function takeIn(
  database: TestDatabase,
  lead: Partial<Submission> = {},
  delayMs = 50,
): Promise<StartOrder> {
  emails += 1;
  const submission = submissionSchema.parse({
    ...SEED_LEAD,
    email: `joao+${Date.now()}-${emails}@example.com`,
    ...lead,
  });
  const result = await intakeLead(
    database.pool,
    { enrichmentDelayMs: delayMs, idempotencyTtlHours: 24 },
    {
      organizationId: submission.organizationId,
      submission,
      caller: {
        keyId: null,
        userId: 'user-1',
        ipAddress: '203.0.113.7',
        userAgent: 'vitest',
        requestId: `request-${emails}`,
      },
      idempotencyKey: undefined,
      orderDelayMs: 60_000,
    },
  );
  if (result.outcome !== 'created') throw new Error(`The lead was not created: ${result.outcome}`);
  return result.order;
}

export { historyText };
