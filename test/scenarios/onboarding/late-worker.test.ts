import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { TASK_QUEUES } from '../../../workflows/contract.ts';
import { recordLog } from '../../support/log.ts';
import { takeIn, test } from '../../support/onboarding.ts';
import { carrierTo } from '../../support/relay.ts';
import { createTestClient } from '../../support/temporal.ts';
import { startWorkers } from '../../support/workers.ts';

/** `LATE_LEADS=3000 LATE_MINUTES=20` for the size and the time of the promise. */
const LEADS = Number(process.env['LATE_LEADS'] ?? 200);
const LATE_MS = Number(process.env['LATE_MINUTES'] ?? 0) * 60_000;
const AT_ONCE = 50;
/** For all leads together, of which one worker does some dozens in a second. */
const WITHIN_MS = 120_000 + LEADS * 200;

const { log } = recordLog();

test(
  'leads whose lead worker comes late are all enriched and scored, none of them PARTIAL',
  { timeout: LATE_MS + 2 * WITHIN_MS },
  async ({ database }) => {
    const client = createTestClient();
    const carryOut = carrierTo(client);
    const early = await startWorkers(database, log, {}, [TASK_QUEUES.onboarding, TASK_QUEUES.notification]);
    for (let taken = 0; taken < LEADS; taken += AT_ONCE) {
      const some = Array.from({ length: Math.min(AT_ONCE, LEADS - taken) }, () => takeIn(database));
      for (const order of await Promise.all(some)) await carryOut(order);
    }
    const count = (where: object) => database.prisma.lead.count({ where });
    const notified = () => database.prisma.notification.count();
    await expect.poll(notified, { timeout: WITHIN_MS }).toBe(LEADS);
    await sleep(LATE_MS);
    expect(await count({ onboardingState: 'RUNNING' })).toBe(LEADS);

    const late = await startWorkers(database, log, {}, [TASK_QUEUES.lead]);
    await expect.poll(() => count({ onboardingState: 'RUNNING' }), { timeout: WITHIN_MS }).toBe(0);
    expect(await count({ onboardingState: 'COMPLETED', score: { not: null } })).toBe(LEADS);
    await Promise.all([early.stop(), late.stop()]);
    await client.connection.close();
  },
);
