/** When a part counts as ready: its URL answers 200, or its Postgres answers a query. */
export type Readiness = { kind: 'http'; url: string } | { kind: 'postgres'; connectionString: string };

/** How a part writes its output: pino's JSON lines, or the server logs of Postgres and Temporal. */
export type OutputFormat = 'pino' | 'postgres' | 'temporal';

/** The user that a part runs as, where that is not our own. `passAnyFolder`: it may cross folders closed to it. */
export interface RunAs {
  uid: number;
  gid: number;
  passAnyFolder: boolean;
}

/** One process of the local stack, as plain data. */
export interface Part {
  name: string;
  command: string;
  args: string[];
  env: NodeJS.ProcessEnv;
  cwd?: string;
  runAs?: RunAs;
  /** Whether it gives way to the other parts when there is not enough of the processor for all. */
  yields?: boolean;
  ready: Readiness;
  /** After so many milliseconds in which it answered, and with nothing but errors, it is killed and started again. */
  stuckAfterMs?: number;
  output: OutputFormat;
  stopSignal: 'SIGTERM' | 'SIGINT';
  /** After so many milliseconds a part that was told to stop is killed. */
  stopWithinMs: number;
}
