import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { allowHosts } from '../safe-fetch/allowed-hosts.ts';
import { isLoopback } from '../safe-fetch/loopback.ts';
import { urlOf } from './url-of.ts';

const port = z.coerce.number().int().min(0).max(65_535);
const count = z.coerce.number().int().min(1);
/** Timers take 24.8 days at most, and anything longer for 1 ms. */
const milliseconds = z.coerce.number().int().min(0).max(2_000_000_000);
const hosts = z.string().transform((text) =>
  text
    .split(',')
    .map((host) => host.trim())
    .filter(Boolean),
);

/** Of a scheme, a host and maybe a port: what browsers send as `Origin`. */
const ORIGIN_FORM = 'takes whole origins without a path, as in https://www.example.com';
const origins = hosts.pipe(
  z.array(
    z
      .url({ protocol: /^https?$/, abort: true, error: ORIGIN_FORM })
      .refine((text) => new URL(text).origin === text && !text.includes('*'), ORIGIN_FORM),
  ),
);
const PROXY_FORM = 'takes addresses or ranges, as in 10.0.0.0/8';
const proxies = hosts.pipe(
  z.array(z.string().refine((text) => ipaddr.isValid(text) || ipaddr.isValidCIDR(text), PROXY_FORM)),
);
const RATE_FORM = 'takes off, or requests/seconds as in 600/60';
const rateLimit = z
  .string()
  .regex(/^(off|[1-9]\d{0,6}\/[1-9]\d{0,4})$/, RATE_FORM)
  .transform((text) => {
    const [requests, seconds] = text.split('/').map(Number);
    return requests && seconds ? { requests, seconds } : ('off' as const);
  });

const webhookUrl = z
  .url({ protocol: /^https?$/, abort: true, error: 'takes an http or https address' })
  .refine((url) => !new URL(url).username && !new URL(url).password, 'takes no user and password: requests are signed');
const SECRET_FORM = 'takes whsec_ and 24 to 64 bytes in Base64, as `echo whsec_$(openssl rand -base64 32)` prints';
const webhookSecret = z
  .string()
  .regex(/^whsec_([A-Za-z0-9+/]{4}){8,21}([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/, SECRET_FORM);

const pollers = (least: number) => {
  const form = `takes a whole number from ${least} on, or auto`;
  return z.union([z.literal('auto'), z.coerce.number(form).int(form).min(least, form)], form);
};
const ACTIVITIES_FORM = 'takes a number above 0: activities a second';
const perSecond = z.coerce.number(ACTIVITIES_FORM).positive(ACTIVITIES_FORM);

const BUILD_ID_FORM = 'takes the name of a release, up to 128 letters, digits, dots, dashes, pluses and underscores';
const buildId = z.string().regex(/^[\w.+-]{1,128}$/, BUILD_ID_FORM);

const OPERATOR_KEY_FORM = 'takes the token of an operator, lop_…, as `npm run keys -- create-operator` prints it';

function refuseBadHosts(entries: string[], context: z.RefinementCtx): void {
  try {
    allowHosts(entries);
  } catch (err) {
    context.addIssue({ code: 'custom', message: err instanceof Error ? err.message : String(err) });
  }
}

/** Every variable that the project reads, but for `TEMPORAL_*` connection settings, which `@temporalio/envconfig` reads, and `OTEL_*` ones. */
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
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .url({ protocol: /^https?$/, error: 'takes the http or https address of a collector' })
    .optional(),
  ATTEMPT_LEDGER: z.enum(['on', 'off']).default('on'),
  ATTEMPT_DAYS: count.max(36_500).default(7),
  WORKER_BUILD_ID: buildId.optional(),
  ONBOARDING_CONCURRENCY: count.min(2).default(40),
  ONBOARDING_POLLERS: pollers(2).optional(),
  NOTIFICATION_CONCURRENCY: count.default(10),
  NOTIFICATION_POLLERS: pollers(1).optional(),
  NOTIFICATION_RATE: perSecond.optional(),
  NOTIFICATION_QUEUE_RATE: perSecond.optional(),
  NOTIFICATION_WEBHOOK_URL: webhookUrl.optional(),
  NOTIFICATION_WEBHOOK_SECRET: webhookSecret.optional(),
  WEBHOOK_CONCURRENCY: count.default(100),
  WEBHOOK_POLLERS: pollers(1).optional(),
  WEBHOOK_ALLOW_HOSTS: hosts.default([]).superRefine(refuseBadHosts),
  LEAD_CONCURRENCY: count.default(3),
  LEAD_POLLERS: pollers(1).optional(),
  LEAD_RATE: perSecond.optional(),
  LEAD_QUEUE_RATE: perSecond.optional(),
  ENRICHMENT_DELAY_MS: milliseconds.default(10_000),
  ENRICHMENT_CONFIG: z.string().optional(),
  ENRICHMENT_ALLOW_HOSTS: hosts.default([]).superRefine(refuseBadHosts),
  API_AUTH: z.enum(['required', 'off']).default('required'),
  TRUSTED_PROXIES: proxies.default([]),
  RATE_LIMIT: rateLimit.optional(),
  CORS_ORIGINS: origins.default([]),
  FORM_RETURN_ORIGINS: origins.default([]),
  OUTBOX_POLL_MS: milliseconds.min(10).default(1_000),
  RECONCILE_INTERVAL_MS: milliseconds.default(30_000),
  IDEMPOTENCY_TTL_HOURS: count.default(24),
  RETENTION_DAYS: count.max(36_500).optional(),
  BOARD_PORT: port.default(3001),
  OPS_URL: z.url({ protocol: /^https?$/, error: 'takes the http or https address of an API' }).optional(),
  OPS_KEY: z.string().startsWith('lop_', OPERATOR_KEY_FORM).optional(),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  SHUTDOWN_GRACE_MS: milliseconds.default(15_000),
});

export type Environment = z.infer<typeof environmentSchema>;

const usableEnvironment = environmentSchema
  .refine(({ API_AUTH, HOST }) => API_AUTH === 'required' || isLoopback(HOST), {
    path: ['API_AUTH'],
    message:
      'with `off` whoever reaches HOST does as they like: set HOST=127.0.0.1, or leave API_AUTH out and make a key with npm run keys',
  })
  .refine((env) => env.NOTIFICATION_WEBHOOK_URL === undefined || env.NOTIFICATION_WEBHOOK_SECRET !== undefined, {
    path: ['NOTIFICATION_WEBHOOK_SECRET'],
    message: `is needed with NOTIFICATION_WEBHOOK_URL; ${SECRET_FORM}`,
  });

/** The API that is shown to operators and that they repair by. */
export const opsUrlOf = ({ OPS_URL, HOST, PORT }: Environment): string => OPS_URL ?? urlOf(HOST, PORT);

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
  const parsed = usableEnvironment.safeParse(set);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new EnvironmentError(`Change these variables and start again: ${faults.join('; ')}`);
}
