import { EXAMPLE_LEAD } from '../src/leads/example-lead.ts';
import { intakeLead } from '../src/leads/intake.ts';
import { submissionSchema } from '../src/leads/submission.ts';
import { eraseLead } from '../src/personal-data/erase.ts';
import { sweepErasures } from '../src/personal-data/sweep-erasures.ts';
import { createLogger } from '../src/telemetry/logger.ts';
import { type BenchDatabase, withPostgres } from './postgres.ts';

/** How long a lead with a very long timeline takes to be erased, and what intake takes meanwhile. */
const ENTRIES = Number(process.argv[2] ?? 3_000_000);
const CHUNK = 20_000;

await withPostgres(async (database) => {
  const { pool, prisma } = database;
  const leadId = await takeIn(database, 'long');
  for (let from = 0; from < ENTRIES; from += CHUNK) {
    await pool.query(
      `INSERT INTO lead_event (id, lead_id, organization_id, type, data)
       SELECT gen_random_uuid(), $1, 'org-123', 'entry', '{"name": "João Silva"}' FROM generate_series(1, $2)`,
      [leadId, CHUNK],
    );
  }
  const log = createLogger('bench', 'warn');
  const ended = new AbortController();
  const intakes: number[] = [];
  const intake = (async () => {
    while (!ended.signal.aborted) {
      const startedAt = performance.now();
      await takeIn(database, String(intakes.length)).catch((err: unknown) => log.warn({ err }, 'not taken in'));
      intakes.push(performance.now() - startedAt);
    }
  })();

  try {
    const startedAt = performance.now();
    const seconds = () => ((performance.now() - startedAt) / 1_000).toFixed(2);
    const erasure = { reason: 'request', requestId: 'bench', origin: {}, orderDelayMs: 0 } as const;
    const { leftovers } = await prisma.$transaction((tx) => eraseLead(tx, leadId, erasure));
    console.log(`gone for all who ask after ${seconds()} s (leftovers: ${leftovers})`);
    await sweepErasures(pool, log, new AbortController().signal);
    console.log(`${ENTRIES} entries deleted after ${seconds()} s`);
  } finally {
    ended.abort();
    await intake;
  }
  intakes.sort((a, b) => a - b);
  const percentile = (share: number) => Math.round(intakes[Math.floor(intakes.length * share)] ?? 0);
  console.log(`meanwhile ${intakes.length} leads taken in: p50 ${percentile(0.5)} ms, p99 ${percentile(0.99)} ms`);
  console.log(`entries left: ${await prisma.leadEvent.count({ where: { leadId } })}`);
});

async function takeIn({ pool }: BenchDatabase, name: string): Promise<string> {
  const submission = submissionSchema.parse({ ...EXAMPLE_LEAD, email: `${name}@example.com` });
  const caller = { keyId: null, userId: null, ipAddress: null, userAgent: null, requestId: 'bench' };
  const request = { organizationId: 'org-123', submission, caller, idempotencyKey: undefined, orderDelayMs: 0 };
  const result = await intakeLead(pool, { enrichmentDelayMs: 0, idempotencyTtlHours: 24 }, request);
  if (result.outcome !== 'created') throw new Error(result.outcome);
  return result.lead.id;
}
