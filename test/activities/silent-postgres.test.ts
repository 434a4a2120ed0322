import { describe, expect, inject, onTestFinished } from 'vitest';
import { createLeadActivities } from '../../activities/lead.ts';
import { createNotificationActivities } from '../../activities/notification.ts';
import { databaseFault } from '../../src/db/faults.ts';
import { createPool } from '../../src/db/pool.ts';
import { createPrisma } from '../../src/db/prisma.ts';
import { builtInProviders } from '../../src/enrichment/built-in.ts';
import type { OnboardingRef } from '../../workflows/contract.ts';
import { refOf, runActivity } from '../support/activity.ts';
import type { TestDatabase } from '../support/database.ts';
import { takeIn, test } from '../support/onboarding.ts';
import { atPort } from '../support/processes.ts';
import { holdLead } from '../support/row-lock.ts';
import { within } from '../support/patience.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

/** A worker's activities, on a Postgres that the test can silence. */
async function activitiesOn(database: TestDatabase) {
  const proxy = await startTcpProxy(inject('postgresPort'));
  const pool = createPool({
    connectionString: atPort(database.url, proxy.port),
    max: 2,
    applicationName: 'silent',
    onError: () => undefined,
  });
  onTestFinished(async () => {
    await proxy.close();
    await pool.end();
  });
  const prisma = createPrisma(pool);
  const { notifyAssignee } = createNotificationActivities({ pool });
  const { enrichLead, scoreLead } = createLeadActivities({ pool, prisma, providers: builtInProviders });
  const notification = { outcome: 'created' } as const;
  const steps = {
    notify: (ref: OnboardingRef) => runActivity(notifyAssignee, ref),
    enrich: (ref: OnboardingRef) => runActivity(enrichLead, ref),
    score: (ref: OnboardingRef) =>
      runActivity(scoreLead, { ...ref, notification, enrichment: { outcome: 'completed' } }),
  };
  return { proxy, steps };
}

describe('a step whose Postgres falls silent in the middle', () => {
  test.for(['notify', 'enrich', 'score'] as const)(
    '%s: fails, and the next attempt goes through',
    async (step, { database }) => {
      const { proxy, steps } = await activitiesOn(database);
      const ref = refOf(await takeIn(database));
      const row = await holdLead(database, ref.leadId);

      const attempt = steps[step](ref).catch((err: unknown) => err);
      await row.contended();
      proxy.setSilent(true);
      expect(databaseFault(await within(attempt, 'the attempt waits for ever'))).toBe('broken-off');

      proxy.setSilent(false);
      await row.release();
      await steps[step](ref);
      const rows = await database.prisma.leadEvent.groupBy({
        by: ['type'],
        where: { leadId: ref.leadId },
        _count: true,
      });
      expect(rows.filter(({ _count }) => _count !== 1)).toEqual([]);
      expect(rows.length).toBeGreaterThan(2);
    },
  );
});
