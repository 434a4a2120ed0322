import type { Part } from './part.ts';

/** What happens to a part, for the terminal. Times are in milliseconds; `restarts` is 0 the first time. */
export type PartEvent =
  | { kind: 'launched'; part: Part; pid: number }
  | { kind: 'waiting'; part: Part; afterMs: number }
  | { kind: 'ready'; part: Part; afterMs: number; restarts: number }
  | { kind: 'died'; part: Part; reason: string; lastLines: string[]; restarts: number; retryInMs: number }
  | { kind: 'stopped'; part: Part; afterMs: number; killed: boolean };
