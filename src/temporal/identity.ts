import { hostname } from 'node:os';

/** What Temporal, its Web UI and the attempts of steps call this process: what the SDK would. */
export const WORKER_IDENTITY = `${process.pid}@${hostname()}`;
