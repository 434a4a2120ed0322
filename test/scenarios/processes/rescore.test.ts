import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { describe, expect, onTestFinished } from 'vitest';
import { TASK_QUEUES, type TaskQueue } from '../../../workflows/contract.ts';
import { rescoreWorkflowId } from '../../../workflows/rescore-contract.ts';
import { SEED_LEAD, test } from '../../support/onboarding.ts';
import { residentMiB } from '../../support/memory.ts';
import { PATIENCE_MS } from '../../support/patience.ts';
import { startProcess, type TestProcess } from '../../support/processes.ts';
import { fillScored, TELLING_RULES } from '../../support/scores.ts';
import { createTestClient, historyText, replay } from '../../support/temporal.ts';

/** `npm run test:rescore` has 100,000. */
const LEADS = Number(process.env['RESCORE_LEADS'] ?? 3_000);
/** Parts of the leads after which a worker is killed. */
const KILLS = [0.1, 0.3];
/** Little room for what is not needed any more, as in a small container: what grows is seen. */
const HEAP = '--max-old-space-size=96';
const SAMPLE_MS = 200;
/** For which leads are onboarded without a rescore beside, to compare with. */
const REFERENCE_MS = LEADS >= 50_000 ? 15_000 : 2_500;
/** What a worker's memory may differ by between the first and the last third of its time, once it is warm. */
const FLAT_MIB = 15;
/** Only what hangs takes longer, on a busy machine too. */
const FINISH_MS = 2 * PATIENCE_MS + LEADS * 10;

interface Progress {
  id: string;
  state: string;
  done: number;
  total: number;
}

const untilReady = (process: TestProcess) => expect.poll(async () => (await process.readyz()).status).toBe(200);

/** Waits until a worker has a page in hand, and ends it without a word. */
async function killAtWork(pool: Pool, worker: TestProcess): Promise<void> {
  const working = `SELECT 1 FROM pg_stat_activity
                   WHERE datname = current_database() AND application_name = 'worker:lead' AND xact_start IS NOT NULL`;
  await expect.poll(async () => (await pool.query(working)).rowCount, { interval: 2 }).toBeGreaterThan(0);
  worker.kill('SIGKILL');
  await worker.exited;
}

async function send<Body>(url: string, body?: object): Promise<Body> {
  const init = { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  const answer = await fetch(url, body === undefined ? {} : init);
  expect(answer.status).toBeLessThan(300);
  return (await answer.json()) as Body;
}

/** Follows something until it is stopped. @returns what was seen */
function watch<Seen>(look: () => Promise<Seen>): () => Promise<Seen[]> {
  const seen: Seen[] = [];
  const stopping = new AbortController();
  const ended = (async () => {
    while (!stopping.signal.aborted) {
      await look().then(
        (value) => seen.push(value),
        () => undefined, // the process was killed
      );
      await sleep(SAMPLE_MS);
    }
  })();
  const stop = async () => {
    stopping.abort();
    await ended;
    return seen;
  };
  onTestFinished(() => stopping.abort());
  return stop;
}

describe(`a rescore of ${LEADS} leads`, () => {
  test(
    'shows its progress, holds memory flat, and scores each lead once although workers are killed twice',
    { timeout: 2 * FINISH_MS },
    async ({ database }) => {
      const { pool } = database;
      const settings = { DATABASE_URL: database.url, LOG_LEVEL: 'warn' };
      const startWorker = async (queue: TaskQueue) => {
        const worker = await startProcess('worker', { ...settings, NODE_OPTIONS: HEAP }, ['--task-queue', queue]);
        await untilReady(worker);
        return worker;
      };
      const [api, deciding] = [await startProcess('api', settings), await startWorker(TASK_QUEUES.onboarding)];
      await startWorker(TASK_QUEUES.notification);
      let scoring = await startWorker(TASK_QUEUES.lead);
      await untilReady(api);

      const organizationId = `org-${randomUUID()}`;
      await fillScored(pool, organizationId, LEADS);
      const sent = { organizationId, ...TELLING_RULES };
      const dryStartedAt = performance.now();
      const dryRun = await send<{ complete: boolean; leads: number }>(`${api.url}/api/score-rules/dry-run`, sent);
      const dryRunMs = Math.round(performance.now() - dryStartedAt);
      expect(dryRun.leads).toBeGreaterThan(0);
      expect(dryRun.complete).toBe(dryRun.leads === LEADS);
      const before = onboardMeanwhile(api.url, organizationId);
      await sleep(REFERENCE_MS);
      const referenceMs = await before.stop();
      const startedAt = performance.now();
      const { id } = (await send<{ rescore: Progress }>(`${api.url}/api/score-rules`, sent)).rescore;
      const read = () => send<Progress>(`${api.url}/api/score-rules/rescores/${id}`);
      const stopProgress = watch(read);
      const stopMemory = watch(async () => ({ pid: scoring.pid, mib: await residentMiB(scoring.pid) }));
      const onboarded = onboardMeanwhile(api.url, organizationId);

      for (const [index, part] of KILLS.entries()) {
        await expect.poll(async () => (await read()).done, { interval: 50 }).toBeGreaterThanOrEqual(LEADS * part);
        await killAtWork(pool, scoring);
        if (index === 1) deciding.kill('SIGKILL'); // and with it the run's place in a worker's cache
        scoring = await startWorker(TASK_QUEUES.lead);
        if (index === 1) await startWorker(TASK_QUEUES.onboarding);
      }
      await expect.poll(async () => (await read()).state, { interval: 100 }).toBe('COMPLETED');
      const seconds = (performance.now() - startedAt) / 1_000;
      const newLeads = await onboarded.stop();

      const { rows } = await pool.query<{ leads: number; most: number; wrong: number }>(
        `SELECT count(*)::int AS leads, max(n)::int AS most, count(*) FILTER (WHERE wrong)::int AS wrong
         FROM (SELECT count(*) AS n, bool_or(s.score <> l.score OR score_of(l.score_breakdown) <> s.score
                 OR s.score <> (CASE WHEN substr(l.name, 6)::int % 5 = 0 THEN 60 ELSE 0 END)
                             + (CASE WHEN substr(l.name, 6)::int % 2 = 0 THEN 30 ELSE 0 END)
                             + (CASE WHEN substr(l.name, 6)::int % 3 = 0 THEN 5 ELSE 0 END)) AS wrong
               FROM lead_view l JOIN score s ON s.lead_id = l.id AND s.rule_version = 1
               WHERE l.organization_id = $1 AND l.name LIKE 'Lead %' GROUP BY l.id) AS per_lead`,
        [organizationId],
      );
      expect(rows[0]).toEqual({ leads: LEADS, most: 1, wrong: 0 });
      const { rows: fresh } = await pool.query<{ scores: number }>(
        `SELECT count(*) FILTER (WHERE s.rule_version = 1)::int AS scores FROM lead l JOIN score s ON s.lead_id = l.id
         WHERE l.organization_id = $1 AND l.name NOT LIKE 'Lead %' GROUP BY l.id`,
        [organizationId],
      );
      expect(fresh.map(({ scores }) => scores)).toEqual([...referenceMs, ...newLeads].map(() => 1));

      const done = (await stopProgress()).map((progress) => progress.done);
      expect(done).toEqual([...done].sort((a, b) => a - b));
      expect(new Set(done).size).toBeGreaterThan(3);
      const memory = flatness((await stopMemory()).filter(({ pid }) => pid === scoring.pid).map(({ mib }) => mib));
      if (LEADS >= 50_000) expect(memory.last - memory.middle).toBeLessThan(FLAT_MIB);

      const client = createTestClient();
      const handle = client.workflow.getHandle(rescoreWorkflowId(id));
      await replay(handle);
      expect(await historyText(handle)).not.toMatch(/example\.com|Acme/);
      const { historyLength } = await handle.describe();
      await client.connection.close();
      console.log({
        leads: LEADS,
        seconds: Math.round(seconds),
        kills: KILLS.length + 1,
        memoryMiB: memory,
        dryRun: { complete: dryRun.complete, leads: dryRun.leads, ms: dryRunMs },
        onboardingMs: { before: spread(referenceMs), meanwhile: spread(newLeads) },
        historyLength,
      });
    },
  );
});

/**
 * Posts one lead after the other, a second after the last was scored: a busy machine gets no more than it can take.
 * `stop` resolves with how long each took until then, in milliseconds.
 */
function onboardMeanwhile(url: string, organizationId: string) {
  const stopping = new AbortController();
  const post = async () => {
    const startedAt = performance.now();
    const lead = { ...SEED_LEAD, organizationId, name: 'João', email: `${randomUUID()}@acme.example` };
    const { id } = await send<{ id: string }>(`${url}/api/leads`, lead);
    const state = async () => (await send<{ onboardingState: string }>(`${url}/api/leads/${id}`)).onboardingState;
    await expect.poll(state, { interval: 20 }).toBe('COMPLETED');
    return Math.round(performance.now() - startedAt);
  };
  const ended = (async () => {
    const took: number[] = [];
    while (!stopping.signal.aborted) {
      took.push(await post());
      await sleep(1_000, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
    return took;
  })();
  ended.catch(() => undefined); // it is waited for when it is stopped
  onTestFinished(() => stopping.abort());
  return {
    stop: () => {
      stopping.abort();
      return ended;
    },
  };
}

/** The largest of the middle and of the last third of samples, and of each tenth: the first third is for warming up. */
function flatness(samples: number[]) {
  const largest = (from: number, to: number) =>
    Math.round(Math.max(0, ...samples.slice(Math.floor(from * samples.length), Math.ceil(to * samples.length))));
  const tenths = Array.from({ length: 10 }, (_, tenth) => largest(tenth / 10, (tenth + 1) / 10));
  return { middle: largest(1 / 3, 2 / 3), last: largest(2 / 3, 1), tenths: tenths.join(' ') };
}

function spread(numbers: number[]) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return { count: sorted.length, median: sorted[sorted.length >> 1], most: sorted.at(-1) };
}
