import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { World } from '../world/world.ts';
import { PATIENCE_MS } from '../../../support/patience.ts';
import { NoAnswer, postLead } from './post.ts';
import { Truth } from './truth.ts';

export interface LoadOptions {
  count: number;
  /** Requests that begin each second, whatever became of the ones before. */
  perSecond: number;
}

/** What a caller saw, over all attempts. Durations in milliseconds, of answered attempts. */
export interface LoadReport {
  attempts: number;
  durations: number[];
  statuses: Record<number, number>;
  refused: number;
  cut: number;
  late: number;
}

const PAUSE_MS = 200;

/**
 * A caller that wants each of its leads taken in: it posts to one API process after the other until it gets a `201` or
 * `200`, with the same Idempotency-Key, and writes what was acknowledged into the truth.
 */
export class LeadLoad {
  readonly organizationId = `chaos-${randomUUID()}`;
  readonly truth: Truth;
  readonly report: LoadReport = { attempts: 0, durations: [], statuses: {}, refused: 0, cut: 0, late: 0 };
  readonly #world: World;
  #posted = 0;

  constructor(world: World) {
    this.#world = world;
    this.truth = new Truth(join(world.folder, `${this.organizationId}.jsonl`));
  }

  /** Posts leads at a steady rate; resolves once each of them is acknowledged. */
  async post({ count, perSecond }: LoadOptions): Promise<void> {
    const underWay: Promise<void>[] = [];
    const startedAt = Date.now();
    for (let index = 0; index < count; index += 1) {
      await sleep(Math.max(0, startedAt + (index * 1_000) / perSecond - Date.now()));
      underWay.push(this.postOne());
    }
    await Promise.all(underWay);
  }

  /** One lead of its own, until it is acknowledged. */
  postOne(): Promise<void> {
    return this.#insist(this.#newLead(), randomUUID());
  }

  /** The same lead so many times at once, each until it is acknowledged. */
  async postAlike(count: number, keyOf: (index: number) => string): Promise<void> {
    const lead = this.#newLead();
    await Promise.all(Array.from({ length: count }, (_, index) => this.#insist(lead, keyOf(index), index)));
  }

  #newLead() {
    this.#posted += 1;
    const number = this.#posted;
    return {
      organizationId: this.organizationId,
      name: `Lead ${number}`,
      email: `lead-${number}@${this.organizationId}.example`,
      company: `Company ${number}`,
      assignedTo: `user-${number % 7}`,
    };
  }

  async #insist(lead: { email: string }, key: string, first = this.#posted): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    for (let attempt = 0; Date.now() < deadline; attempt += 1) {
      const url = this.#world.apis[(first + attempt) % this.#world.apis.length] ?? '';
      const id = await this.#attempt(url, lead, key);
      if (id !== undefined) return;
      await sleep(PAUSE_MS);
    }
    throw new Error(`${lead.email} was not taken in within ${PATIENCE_MS} ms`);
  }

  async #attempt(url: string, lead: { email: string }, key: string): Promise<string | undefined> {
    const { report } = this;
    report.attempts += 1;
    try {
      const { status, body, durationMs } = await postLead(url, lead, key);
      report.durations.push(durationMs);
      report.statuses[status] = (report.statuses[status] ?? 0) + 1;
      if ((status !== 201 && status !== 200) || body.id === undefined) return undefined;
      this.truth.record({ id: body.id, email: lead.email, status });
      return body.id;
    } catch (err) {
      if (!(err instanceof NoAnswer)) throw err;
      report[err.kind] += 1;
      return undefined;
    }
  }
}

/** A percentile of numbers, by the nearest rank; NaN of none. */
export function percentile(numbers: readonly number[], percent: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? NaN;
}
