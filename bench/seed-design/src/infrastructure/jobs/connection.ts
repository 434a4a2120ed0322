/** How queues and workers reach Redis; a worker's connection waits for it without an end, as BullMQ wants. */
export const redisConnection = {
  connection: { host: '127.0.0.1', port: Number(process.env.REDIS_PORT ?? 6379), maxRetriesPerRequest: null },
};

/** Every job is tried again by itself. What is done is kept for a look, but not for ever. */
export const defaultJobOptions = {
  attempts: 3,
  backoff: { type: 'exponential', delay: 1_000 },
  removeOnComplete: 1_000,
  removeOnFail: 5_000,
};
