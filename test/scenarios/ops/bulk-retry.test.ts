import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished } from 'vitest';
import { TASK_QUEUES, type TaskQueue } from '../../../workflows/contract.ts';
import { explain } from '../../support/explain.ts';
import { storeFailed } from '../../support/failures.ts';
import { SEED_LEAD, test } from '../../support/onboarding.ts';
import { startProcess, type TestProcess } from '../../support/processes.ts';
import { recordStatements } from '../../support/statements.ts';
import { groupFailures } from '../../../src/failures/groups.ts';

const FAILED = 2_000;
/** Those of them that are retried; `npm run test:retry` has all. */
const LEADS = Number(process.env['RETRY_LEADS'] ?? 60);
/** As many as there may be: the machine is full then, and whoever comes meanwhile waits for its processors. */
const PER_SECOND = Number(process.env['RETRY_PER_SECOND'] ?? 50);
/** Parts of the leads after which the worker of `lead` is killed. */
const KILLS = [0.1, 0.4];
/** For which single leads are onboarded without a retry beside, to compare with. */
const REFERENCE_MS = 5_000;
/** An onboarding costs some 0.1 s of processor time, and the machine may be busy. */
const FINISH_MS = 60_000 + LEADS * 500;

interface Progress {
  id: string;
  state: string;
  total: number;
  finishedAt: string | null;
  outcomes: Record<string, number>;
}

const untilReady = (process: TestProcess) => expect.poll(async () => (await process.readyz()).status).toBe(200);

async function send<Body>(url: string, body?: object): Promise<Body> {
  const init = { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  const answer = await fetch(url, body === undefined ? {} : init);
  expect(answer.status).toBeLessThan(300);
  return (await answer.json()) as Body;
}

describe(`an outage that failed ${FAILED} leads`, () => {
  test(
    'is seen at a glance, and repaired in bulk while workers are killed, each lead once',
    {
      timeout: 2 * FINISH_MS,
    },
    async ({ database }) => {
      const { pool } = database;
      const organizationId = `org-${randomUUID()}`;
      const failure = { organizationId, step: 'enrich', errorType: 'crm:http-503' } as const;
      const ids = await storeFailed(database, { ...failure, leads: LEADS });
      await storeFailed(database, { ...failure, errorType: 'crm:timeout', leads: FAILED - LEADS });
      await pool.query('VACUUM ANALYZE onboarding_failure');
      const settings = { DATABASE_URL: database.url, LOG_LEVEL: 'warn' };
      const startWorker = async (queue: TaskQueue) => {
        const worker = await startProcess('worker', settings, ['--task-queue', queue]);
        await untilReady(worker);
        return worker;
      };
      const api = await startProcess('api', settings);
      await untilReady(api);

      const startedAt = performance.now();
      const groups = await send<{ items: { errorType: string; leads: number }[] }>(
        `${api.url}/ops/failures?organizationId=${organizationId}`,
      );
      const groupedMs = Math.round(performance.now() - startedAt);
      expect(groups.items).toContainEqual({ ...failure, leads: LEADS, newestAt: expect.any(String) as string });
      expect(groups.items.reduce((sum, { leads }) => sum + leads, 0)).toBe(FAILED);
      console.log({ failed: FAILED, groupedMs });
      const statements = recordStatements();
      await groupFailures(pool, {});
      const statement = statements.find(({ text }) => text.includes('onboarding_failure'));
      const plan = statement ? await explain(pool, statement) : [];
      expect(plan).toEqual([expect.stringMatching(/^onboarding_failure_step_error_type_organization_id_at_idx/)]);

      const dryRun = (filter: object) => send(`${api.url}/ops/retries`, { filter });
      expect(await dryRun({ organizationId })).toMatchObject({ dryRun: true, leads: FAILED });
      expect(await dryRun(failure)).toMatchObject({ dryRun: true, leads: LEADS });

      await startProcess('relay', settings);
      await startWorker(TASK_QUEUES.onboarding);
      await startWorker(TASK_QUEUES.notification);
      let scoring = await startWorker(TASK_QUEUES.lead);
      const before = onboardMeanwhile(api.url, organizationId);
      await sleep(REFERENCE_MS);
      const referenceMs = await before.stop();

      const retryingSince = performance.now();
      const order = { filter: failure, dryRun: false, perSecond: PER_SECOND, reason: 'The CRM is back' };
      const { id } = await send<Progress>(`${api.url}/ops/retries`, order);
      const read = () => send<Progress>(`${api.url}/ops/retries/${id}`);
      const onboarded = onboardMeanwhile(api.url, organizationId);
      for (const part of KILLS) {
        const done = async () => (await read()).outcomes['COMPLETED'];
        await expect.poll(done, { interval: 200, timeout: FINISH_MS }).toBeGreaterThanOrEqual(LEADS * part);
        scoring.kill('SIGKILL');
        await scoring.exited;
        scoring = await startWorker(TASK_QUEUES.lead);
      }
      await expect.poll(async () => (await read()).state, { interval: 500, timeout: FINISH_MS }).toBe('COMPLETED');
      const seconds = Math.round((performance.now() - retryingSince) / 1_000);
      const meanwhileMs = await onboarded.stop();

      expect((await read()).outcomes).toMatchObject({ COMPLETED: LEADS, FAILED: 0, SKIPPED: 0, UNDER_WAY: 0 });
      const { rows } = await pool.query(
        `SELECT count(*)::int AS leads, max(o.round)::int AS round, max(commands)::int AS commands, max(scores)::int AS scores
       FROM unnest($1::uuid[]) AS id JOIN onboarding o ON o.lead_id = id,
       LATERAL (SELECT count(*) FILTER (WHERE type = 'command.accepted') AS commands,
                       count(*) FILTER (WHERE type = 'score.calculated') AS scores
                FROM lead_event e WHERE e.lead_id = o.lead_id) AS of_lead
       WHERE o.state = 'COMPLETED'`,
        [ids],
      );
      expect(rows).toEqual([{ leads: LEADS, round: 2, commands: 1, scores: 1 }]);
      expect(await dryRun(failure)).toMatchObject({ leads: 0 });
      console.log({
        retried: LEADS,
        inSeconds: seconds,
        kills: KILLS.length,
        onboardingMs: { before: spread(referenceMs), meanwhile: spread(meanwhileMs) },
      });
    },
  );
});

/**
 * Posts a lead, and the next a second after it was scored, so that a busy machine has no more of them than it can do.
 * `stop` resolves with how long each took until it was scored, in milliseconds.
 */
function onboardMeanwhile(url: string, organizationId: string) {
  const took: number[] = [];
  const stopping = new AbortController();
  onTestFinished(() => stopping.abort());
  const ended = (async () => {
    while (!stopping.signal.aborted) {
      const startedAt = performance.now();
      const lead = { ...SEED_LEAD, organizationId, email: `${randomUUID()}@acme.example` };
      const { id } = await send<{ id: string }>(`${url}/api/leads`, lead);
      const state = async () => (await send<{ onboardingState: string }>(`${url}/api/leads/${id}`)).onboardingState;
      await expect.poll(state, { interval: 50 }).toBe('COMPLETED');
      took.push(Math.round(performance.now() - startedAt));
      await sleep(1_000, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await ended;
      return took;
    },
  };
}

function spread(numbers: number[]) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return { count: sorted.length, median: sorted[sorted.length >> 1], most: sorted.at(-1) };
}
