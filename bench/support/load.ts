import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import autocannon from 'autocannon';
import { EXAMPLE_LEAD } from '../../src/leads/example-lead.ts';
import { percentile } from './statistics.ts';

/** Where and how leads are handed in. */
export interface Target {
  url: string;
  /** A key, where there are any. */
  authorization?: string;
}

/** Over how many connections, and for how long or how many requests. */
export type LoadSize = { connections: number } & ({ seconds: number } | { requests: number });

/** What one round of load showed. */
export interface LoadResult {
  /** Answers of 2xx. */
  answers: number;
  perSecond: number;
  /** Milliseconds, of the answers of 2xx. */
  p50: number;
  p99: number;
  /** Answers of anything else, connections that broke, answers that did not come within 10 s. */
  errors: number;
}

const RUN = randomBytes(4).toString('hex');
let sent = 0;

/** The headers and the body of one more lead, whose e-mail nobody else has. */
export function nextLead({ authorization }: Pick<Target, 'authorization'>) {
  sent += 1;
  const email = `lead-${RUN}-${sent}@example.com`;
  return {
    headers: {
      'content-type': 'application/json',
      'idempotency-key': email,
      ...(authorization === undefined ? {} : { authorization }),
    },
    body: JSON.stringify({ ...EXAMPLE_LEAD, email }),
  };
}

/** Hands in leads over so many connections, each the next one as soon as it has its answer. */
export const loadLeads = (target: Target, size: LoadSize): Promise<LoadResult> =>
  load(target.url, () => ({ method: 'POST', ...nextLead(target) }), size);

/** Sends what `next` says, over and over. */
export async function load(
  url: string,
  next: () => Pick<autocannon.Request, 'method' | 'headers' | 'body'>,
  size: LoadSize,
): Promise<LoadResult> {
  const times: number[] = [];
  const startedAt = performance.now();
  const { errors, non2xx } = await new Promise<autocannon.Result>((resolve, reject) => {
    const options = {
      url,
      connections: size.connections,
      ...('seconds' in size ? { duration: size.seconds } : { amount: size.requests }),
      requests: [{ setupRequest: (request: autocannon.Request) => ({ ...request, ...next() }) }],
    };
    const running = autocannon(options, (err: Error | null, result) => (err ? reject(err) : resolve(result)));
    running.on('response', (_client, status, _bytes, ms) => {
      if (status >= 200 && status < 300) times.push(ms);
    });
  });
  return {
    answers: times.length,
    perSecond: (times.length / (performance.now() - startedAt)) * 1_000,
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
    errors: errors + non2xx,
  };
}

/** Hands in one lead. @returns when its answer was there @throws when it is not taken in */
export async function postLead(target: Target): Promise<{ answeredAt: number; id: string }> {
  const answer = await fetch(target.url, { method: 'POST', ...nextLead(target) });
  const answeredAt = Date.now();
  if (!answer.ok) throw new Error(`A lead is not taken in: ${answer.status} ${await answer.text()}`);
  return { answeredAt, id: ((await answer.json()) as { id: string }).id };
}

/** Hands in leads at a steady rate, whether or not the earlier ones have their answers. @returns the answers; undefined for what is not taken in */
export async function postSteadily(target: Target, rate: number, seconds: number) {
  const answers: Promise<Awaited<ReturnType<typeof postLead>> | undefined>[] = [];
  const startedAt = performance.now();
  for (let sent = 0; sent < rate * seconds; sent += 1) {
    await sleep(Math.max(0, startedAt + (sent * 1_000) / rate - performance.now()));
    answers.push(postLead(target).catch(() => undefined));
  }
  return Promise.all(answers);
}
