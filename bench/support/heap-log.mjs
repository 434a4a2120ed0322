import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';

// Loaded by `--import` into each process of a soak, and into each of its threads: every thread has a heap of its own.
const file = join(process.env['BENCH_HEAP_FOLDER'] ?? '.', `${process.pid}-${threadId}`);
setInterval(() => writeFileSync(file, String(process.memoryUsage().heapUsed)), 5_000).unref();
