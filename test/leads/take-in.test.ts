import { expect } from 'vitest';
import type { Share } from '../../src/db/fair-share.ts';
import { submissionSchema } from '../../src/leads/submission.ts';
import { batchTaker, leadTaker } from '../../src/leads/take-in.ts';
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

test('a batch that waited for others in a circle is stored by a second try', async ({ database }) => {
  const codes = ['40P01', '40P01'];
  const query = database.pool.query.bind(database.pool) as (...args: unknown[]) => Promise<unknown>;
  const pool = {
    query: (...args: unknown[]) => {
      const code = codes.pop();
      return code === undefined
        ? query(...args)
        : Promise.reject(Object.assign(new Error('deadlock detected'), { code }));
    },
  } as unknown as typeof database.pool;
  const fastStart = createFastStart({ pool: database.pool, log, slots: 0, carryOut: () => Promise.resolve() });
  const intake = { enrichmentDelayMs: 10_000, idempotencyTtlHours: 24 };
  const take = batchTaker({ pool, log, fastStart, share: (_organizationId, work) => work(), intake });
  const caller = { keyId: null, userId: null, ipAddress: null, userAgent: null, requestId: 'request-1' };
  const submission = submissionSchema.parse({
    ...SEED_LEAD,
    organizationId: 'org-circle',
    email: 'circle@example.com',
  });
  const batch = {
    organizationId: 'org-circle',
    submissions: [{ submission, stated: [] }],
    onDuplicate: 'keep',
    caller,
    idempotencyKey: undefined,
    sent: {},
  } as const;
  await expect(take(batch)).rejects.toMatchObject({ code: '40P01' }); // twice is no accident
  codes.push('40P01');
  expect(await take(batch)).toMatchObject({ outcomes: [{ outcome: 'created' }] });
});
