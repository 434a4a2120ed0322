/** What has become of what is watched since it was last asked for. */
export type WatcherState = 'changed' | 'quiet' | 'ended';

/** Waits for changes of what is watched. They are not counted: one or many before `next` are the same. */
export class Watcher {
  readonly #ending = new AbortController();
  #changed = false;
  #wake: () => void = () => undefined;

  /** Aborts when nobody is to wait any more. */
  get ended(): AbortSignal {
    return this.#ending.signal;
  }

  /** Says that it has changed, or may have. */
  change(): void {
    this.#changed = true;
    this.#wake();
  }

  /** Lets the watcher go. */
  end(): void {
    this.#ending.abort();
    this.#wake();
  }

  /** Resolves once something was said since the last call, or after `ms` as `quiet`. */
  async next(ms: number): Promise<WatcherState> {
    if (!this.#changed && !this.ended.aborted) await this.#pause(ms);
    if (this.ended.aborted) return 'ended';
    const state = this.#changed ? 'changed' : 'quiet';
    this.#changed = false;
    return state;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
