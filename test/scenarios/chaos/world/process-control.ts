import { setTimeout as sleep } from 'node:timers/promises';
import type { Part } from '../../../../src/local/processes/part.ts';
import { PATIENCE_MS } from '../../../support/patience.ts';
import { createSupervisor } from '../../../../src/local/processes/supervisor.ts';

/** A process that ended although nobody of ours had ended it. */
export interface Casualty {
  part: string;
  reason: string;
  lastLines: string[];
}

/** A death of a part is answered soon: these are the times of an orchestrator in a hurry. */
const BACK_OFF = { initialMs: 300, maximumMs: 1_000, steadyMs: 1_000 };

/** Runs processes under supervision, and ends, freezes and restarts them on purpose. */
export class ProcessControl {
  readonly casualties: Casualty[] = [];
  readonly #pids = new Map<string, number>();
  /** How often each part has become ready. */
  readonly #ready = new Map<string, number>();
  readonly #condemned = new Set<number>();
  readonly #reasons = new Map<string, string[]>();
  readonly #lines: { part: string; line: string }[] = [];
  readonly #supervisor = createSupervisor({
    backOff: BACK_OFF,
    onLine: ({ name }, line) => this.#lines.push({ part: name, line }),
    onEvent: (event) => {
      const { name } = event.part;
      if (event.kind === 'launched') this.#pids.set(name, event.pid);
      if (event.kind === 'ready') this.#ready.set(name, (this.#ready.get(name) ?? 0) + 1);
      if (event.kind === 'died') this.#noteDeath(name, event.reason, event.lastLines);
    },
  });

  /** The process of each part that was started, as it is now. */
  get pids(): ReadonlyMap<string, number> {
    return this.#pids;
  }

  start(parts: Part[]): Promise<void> {
    return this.#supervisor.start(parts);
  }

  stop(): Promise<void> {
    return this.#supervisor.stop();
  }

  /** Ends a process, and what it started, as a power cut would. Supervision starts it again. */
  kill(part: string): void {
    const pid = this.#pidOf(part);
    this.#condemned.add(pid);
    process.kill(-pid, 'SIGKILL');
  }

  freeze(part: string): void {
    process.kill(-this.#pidOf(part), 'SIGSTOP');
  }

  thaw(part: string): void {
    process.kill(-this.#pidOf(part), 'SIGCONT');
  }

  /** Ends a process as a deployment does. @returns how it ended, once its successor is ready */
  async replace(part: string): Promise<string | undefined> {
    const before = this.#ready.get(part) ?? 0;
    const pid = this.#pidOf(part);
    this.#condemned.add(pid);
    process.kill(pid, 'SIGTERM');
    await this.untilReady(part, before + 1);
    return this.#reasons.get(part)?.at(-1);
  }

  /** Kills a process. @returns once its successor is ready */
  async killAndAwait(part: string): Promise<void> {
    const before = this.#ready.get(part) ?? 0;
    this.kill(part);
    await this.untilReady(part, before + 1);
  }

  /** What a part has written since the process of this class began. */
  linesOf(part: string): string[] {
    return this.#lines.filter((entry) => entry.part === part).map(({ line }) => line);
  }

  async untilReady(part: string, times = 1): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    while ((this.#ready.get(part) ?? 0) < times) {
      if (Date.now() > deadline) throw new Error(`${part} is not ready: ${this.linesOf(part).slice(-15).join('\n')}`);
      await sleep(50);
    }
  }

  #pidOf(part: string): number {
    const pid = this.#pids.get(part);
    if (pid === undefined) throw new Error(`${part} was never started`);
    return pid;
  }

  #noteDeath(part: string, reason: string, lastLines: string[]): void {
    this.#reasons.set(part, [...(this.#reasons.get(part) ?? []), reason]);
    const pid = this.#pidOf(part);
    if (!this.#condemned.has(pid)) this.casualties.push({ part, reason, lastLines });
  }
}
