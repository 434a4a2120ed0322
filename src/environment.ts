import { z } from 'zod';

const port = z.coerce.number().int().min(0).max(65_535);
const count = z.coerce.number().int().min(1);
const milliseconds = z.coerce.number().int().min(0);
const hosts = z.string().transform((text) =>
  text
    .split(',')
    .map((host) => host.trim())
    .filter(Boolean),
);

/** Every variable that the project reads, but for `TEMPORAL_*` connection settings, which `@temporalio/envconfig` reads. */
export const environmentSchema = z.object({
  HOST: z.string().default('127.0.0.1'),
  PORT: port.default(3000),
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  TEMPORAL_ADDRESS: z.string().optional(),
  TEMPORAL_NAMESPACE: z.string().default('default'),
  TEMPORAL_UI_URL: z.url({ protocol: /^https?$/ }).default('http://127.0.0.1:8233'),
  POSTGRES_PORT: port.default(5433),
  TEMPORAL_PORT: port.default(7233),
  TEMPORAL_UI_PORT: port.default(8233),
  DATA_DIR: z.string().default('.data'),
  HEALTH_PORT: port.optional(),
  METRICS_PORT: port.optional(),
  NOTIFICATION_CONCURRENCY: count.default(10),
  LEAD_CONCURRENCY: count.default(3),
  ENRICHMENT_DELAY_MS: milliseconds.default(10_000),
  API_AUTH: z.enum(['required', 'off']).default('required'),
  TRUSTED_PROXIES: hosts.default([]),
  OUTBOX_POLL_MS: milliseconds.min(10).default(1_000),
  RECONCILE_INTERVAL_MS: milliseconds.default(30_000),
  IDEMPOTENCY_TTL_HOURS: count.default(24),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  SHUTDOWN_GRACE_MS: milliseconds.default(15_000),
});

export type Environment = z.infer<typeof environmentSchema>;

/** A setting that cannot be used; its message names each variable at fault and what it takes. */
export class EnvironmentError extends Error {
  override name = 'EnvironmentError';
}

/**
 * Reads the settings of one process. An empty variable counts as unset, as compose files produce them.
 * @throws EnvironmentError
 */
export function readEnvironment(variables: NodeJS.ProcessEnv): Environment {
  const set = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = environmentSchema.safeParse(set);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new EnvironmentError(`Change these variables and start again: ${faults.join('; ')}`);
}
