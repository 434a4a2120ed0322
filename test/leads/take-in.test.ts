import { expect } from 'vitest';
import type { Share } from '../../src/db/fair-share.ts';
import { submissionSchema } from '../../src/leads/submission.ts';
import { leadTaker } from '../../src/leads/take-in.ts';
import { createFastStart } from '../../src/outbox/fast-start.ts';
import type { Order } from '../../src/outbox/order.ts';
import { recordLog } from '../support/log.ts';
import { SEED_LEAD, test } from '../support/onboarding.ts';

const { log } = recordLog();

test('leads that wait for their turn take no slot from those of others, and are left to relays together', async ({
  database,
}) => {
  const started: Order['organizationId'][] = [];
  const carryOut = ({ organizationId }: Order) => {
    started.push(organizationId);
    return Promise.resolve();
  };
  const fastStart = createFastStart({ pool: database.pool, log, slots: 1, carryOut });
  let letIn: () => void = () => undefined;
  const crowd = new Promise<void>((resolve) => (letIn = resolve));
  const share: Share = async (organizationId, work) => {
    if (organizationId === 'org-crowd') await crowd;
    return work();
  };
  const intake = { enrichmentDelayMs: 10_000, idempotencyTtlHours: 24 };
  const take = leadTaker({ pool: database.pool, log, fastStart, share, intake });
  const caller = { keyId: null, userId: null, ipAddress: null, userAgent: null, requestId: 'request-1' };
  const taken = (organizationId: string, name: string) => {
    const submission = submissionSchema.parse({ ...SEED_LEAD, organizationId, email: `${name}@example.com` });
    return take({ organizationId, submission, caller, idempotencyKey: undefined });
  };

  const crowded = ['first', 'second', 'third', 'fourth'].map((name) => taken('org-crowd', name));
  expect(await taken('org-calm', 'calm')).toMatchObject({ outcome: 'created' });
  await fastStart.idle();
  expect(started).toEqual(['org-calm']);

  letIn();
  for (const lead of await Promise.all(crowded)) expect(lead.outcome).toBe('created');
  await fastStart.idle();
  expect(started).toContain('org-crowd');
  const { rows: left } = await database.pool.query(
    `SELECT lead.email FROM outbox JOIN lead ON lead.id = lead_id
     WHERE lead.organization_id = 'org-crowd' AND available_at <= now() AND lead.email LIKE ANY ('{third%,fourth%}')
     ORDER BY email`,
  );
  expect(left).toEqual([{ email: 'fourth@example.com' }, { email: 'third@example.com' }]);
});
