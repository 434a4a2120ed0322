import type { Activity, Failures, LeadOnboarding, Minute, Queues, Retry } from '../ops/answers.ts';
import type { OpsClient } from '../ops/client.ts';

/** What was asked for this recently is not asked for again: all who look share one answer. */
const FRESH_MS = 250;
/** A relay reads them every 10 s, and each answer asks Temporal as well. */
const QUEUES_FRESH_MS = 2_000;
/** Minutes that are shown, of which only the last ones can still change. */
const MINUTES = 60;
const CHANGING_MINUTES = 2;
/** Steps that gave up are forgiven in earlier minutes too, when their leads are retried: all are read again this often. */
const ALL_MINUTES_EVERY_MS = 15_000;

/** What the board reads of the `/ops` API, shared by all who look at it with the same key. */
export interface Reader {
  activity(): Promise<Activity>;
  queues(): Promise<Queues>;
  failures(): Promise<Failures>;
  lead(id: string): Promise<LeadOnboarding>;
  retry(id: string): Promise<Retry>;
}

export function createReader(client: OpsClient): Reader {
  const answers = new Map<string, { until: number; answer: Promise<unknown> }>();
  let minutes: Minute[] = [];
  let allReadAt = -Infinity;

  function get<Body>(path: string, freshMs = FRESH_MS, read = () => client.call<Body>('GET', path)): Promise<Body> {
    const now = performance.now();
    for (const [known, { until }] of answers) if (now >= until) answers.delete(known);
    const found = answers.get(path);
    if (found) return found.answer as Promise<Body>;
    const answer = read();
    answers.set(path, { until: now + freshMs, answer });
    return answer;
  }

  async function readActivity(): Promise<Activity> {
    const now = performance.now();
    const all = now - allReadAt >= ALL_MINUTES_EVERY_MS;
    const read = await client.call<Activity>('GET', `/ops/activity?minutes=${all ? MINUTES : CHANGING_MINUTES}`);
    if (all) allReadAt = now;
    const [first] = read.minutes;
    const earlier = all || !first ? [] : minutes.filter(({ at }) => at < first.at);
    minutes = [...earlier, ...read.minutes].slice(-MINUTES);
    return { ...read, minutes };
  }

  return {
    activity: () => get('/ops/activity', FRESH_MS, readActivity),
    queues: () => get('/ops/queues', QUEUES_FRESH_MS),
    failures: () => get('/ops/failures'),
    lead: (id) => get(`/ops/leads/${encodeURIComponent(id)}`),
    retry: (id) => get(`/ops/retries/${encodeURIComponent(id)}`),
  };
}
