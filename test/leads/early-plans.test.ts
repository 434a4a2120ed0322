import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { expect, onTestFinished } from 'vitest';
import { createPool } from '../../src/db/pool.ts';
import { API_ROLE } from '../../src/db/tenant.ts';
import { type BatchOutcome, intakeLeads } from '../../src/leads/intake-batch.ts';
import type { IntakeRequest } from '../../src/leads/intake-request.ts';
import { intakeTogether } from '../../src/leads/intake.ts';
import { type Submission, submissionSchema } from '../../src/leads/submission.ts';
import type { TestDatabase } from '../support/database.ts';
import { SEED_LEAD, test } from '../support/onboarding.ts';
import { rowsRead } from '../support/rows.ts';

/** A connection keeps its plans, and makes them for good after some calls. */
const CALLS = 110;
const TOGETHER = 5;
/** Of a lead: a row of each table and an entry of each index, some of them more than once. */
const OF_A_LEAD = 20;

const SETTINGS = { enrichmentDelayMs: 10_000, idempotencyTtlHours: 24 };
const caller = { keyId: null, userId: null, ipAddress: null, userAgent: null, requestId: 'request-1' };

const submissions = (organizationId: string): Submission[] =>
  Array.from({ length: TOGETHER }, () =>
    submissionSchema.parse({ ...SEED_LEAD, organizationId, email: `${randomUUID()}@example.com` }),
  );

type TakeIn = (pool: pg.Pool, organizationId: string) => Promise<unknown[]>;

const group: TakeIn = (pool, organizationId) =>
  intakeTogether(
    pool,
    SETTINGS,
    organizationId,
    submissions(organizationId).map((submission): IntakeRequest => ({
      organizationId,
      submission,
      caller,
      idempotencyKey: randomUUID(),
      orderDelayMs: 0,
    })),
  );

const batch: TakeIn = async (pool, organizationId) => {
  const taken = await intakeLeads(pool, SETTINGS, {
    organizationId,
    submissions: submissions(organizationId).map((submission) => ({ submission, stated: [] })),
    onDuplicate: 'keep',
    caller,
    idempotencyKey: randomUUID(),
    sent: {},
  });
  return (taken as { outcomes: BatchOutcome[] }).outcomes;
};

/** One connection, as the API has them for callers with keys, whose plans are made while there are no leads. */
function connect({ url }: TestDatabase): pg.Pool {
  const pool = createPool({
    connectionString: url,
    max: 1,
    applicationName: 'early',
    role: API_ROLE,
    onError: () => undefined,
  });
  onTestFinished(() => pool.end());
  return pool;
}

test.for([
  ['a group', group],
  ['a batch', batch],
] as const)(
  '%s of leads reads what is its own, also by plans of when there were none',
  async ([name, takeIn], { database }) => {
    const organizationId = `org-${name}`;
    await database.pool.query('TRUNCATE lead, lead_event, outbox, idempotency_key CASCADE');
    const pool = connect(database);
    for (let call = 0; call < CALLS; call += 1) expect(await takeIn(pool, organizationId)).toHaveLength(TOGETHER);
    await pool.query('BEGIN'); // in which it reports nothing
    const before = await rowsRead(pool);
    await takeIn(pool, organizationId);
    expect((await rowsRead(pool)) - before).toBeLessThan(OF_A_LEAD * TOGETHER);
    await pool.query('ROLLBACK');
  },
);
