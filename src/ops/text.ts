import type { Consistency, Failures, LeadOnboarding, Queue, Queues, Retry } from './answers.ts';

/** Rows of cells → lines whose columns stand below each other. */
function table(rows: string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Task queues, a line each, then what Postgres has not handed over. */
export function describeQueues({ queues, orders, onboardings }: Queues): string {
  const rows = queues.map(({ queue, waiting, active, workers, done, seconds, failed, limit, fresh }) => [
    queue,
    waiting ? String(waiting.tasks) : '?',
    waiting ? `${Math.round(waiting.oldestSeconds)} s` : '?',
    waiting?.byPriority.map(({ priority, tasks }) => `${priority}:${tasks}`).join(' ') ?? '',
    active ? `${active.slotsUsed}/${active.slots}` : '?',
    workers ? String(workers.count) : '?',
    [...new Set(workers?.seen.flatMap(({ version }) => version ?? []))].join(',') || '-',
    countsOf(done),
    countsOf(failed),
    seconds ? quantilesOf(seconds.wait) : '-',
    seconds ? quantilesOf(seconds.run) : '-',
    [limitOf(limit), ...(fresh ? [] : ['not read for a minute'])].filter(Boolean).join('; '),
  ]);
  const head = [
    'QUEUE',
    'WAITING',
    'OLDEST',
    'BY PRIORITY',
    'ACTIVE',
    'WORKERS',
    'VERSIONS',
    'DONE 1M/1H/24H',
    'FAILED 1M/1H/24H',
    'WAIT P50/95/99',
    'RUN P50/95/99',
    '',
  ];
  const rest = [
    ...onboardings.map(({ state, onboardings: count }) => `${count} onboardings are ${state}`),
    ...orders.map(
      ({ kind, status, orders: count, ageSeconds }) =>
        `${count} orders ${kind} are ${status}, the oldest for ${Math.round(ageSeconds)} s`,
    ),
  ];
  return [table([head, ...rows]), ...rest].join('\n');
}

const countsOf = (counts: Queue['done']) => (counts ? `${counts.minute}/${counts.hour}/${counts.day}` : '-');

/** In milliseconds. */
const quantilesOf = ({ p50, p95, p99 }: NonNullable<Queue['seconds']>['run']) =>
  `${[p50, p95, p99].map((seconds) => Math.round(seconds * 1_000)).join('/')} ms`;

function limitOf(limit: Queue['limit']): string {
  if (limit === null) return '';
  if (limit === 'unknown') return 'paused? Temporal does not answer';
  return `${limit.perSecond === 0 ? 'PAUSED' : `${limit.perSecond} a second`} by ${limit.by}: ${limit.reason}`;
}

/** Groups of failures, a line each. */
export function describeFailures({ items, complete }: Failures): string {
  if (items.length === 0) return 'No onboarding stands as FAILED or PARTIAL.';
  const rows = items.map((group) => [
    String(group.leads),
    group.step,
    group.errorType,
    group.organizationId,
    group.newestAt,
  ]);
  const lines = table([['LEADS', 'STEP', 'ERROR', 'ORGANIZATION', 'NEWEST'], ...rows]);
  return complete ? lines : `${lines}\nThere are more groups: narrow the filter.`;
}

/** A retry in one line. */
export function describeRetry({ id, state, total, outcomes }: Retry): string {
  const left = outcomes.WAITING + outcomes.UNDER_WAY;
  const counts = Object.entries(outcomes)
    .filter(([, leads]) => leads > 0)
    .map(([outcome, leads]) => `${leads} ${outcome}`);
  return `${id}  ${state}  ${total - left}/${total}  ${counts.join(', ')}`.trimEnd();
}

/** How an onboarding went, an entry a line. */
export function describeLead(lead: LeadOnboarding): string {
  const pending = lead.pending.map(
    ({ activity, attempt, running, lastError }) =>
      `${activity}: attempt ${attempt} ${running ? 'runs' : 'waits'}${lastError === null ? '' : ` after ${lastError}`}`,
  );
  const attempts = lead.attempts.map(({ startedAt, step, attempt, outcome, durationMs, worker, error }) => [
    startedAt,
    step,
    `attempt ${attempt}`,
    outcome,
    `${durationMs} ms`,
    worker,
    error ? `${error.type}: ${error.message}` : '',
  ]);
  const rows = lead.entries.map(({ at, step, type, attempt, reason }) => [
    at,
    step,
    type,
    attempt === null ? '' : `attempt ${attempt}`,
    reason ?? '',
  ]);
  return [
    `${lead.leadId} of ${lead.organizationId} is ${lead.state} in round ${lead.round} since ${lead.changedAt}`,
    `${lead.temporalUrl} (${lead.temporal})`,
    ...pending,
    ...(rows.length > 0 ? [table(rows)] : []),
    ...(attempts.length > 0 ? ['', 'Attempts', table(attempts)] : []),
  ].join('\n');
}

/** Runs that Postgres and Temporal do not agree about, a line each. */
export function describeConsistency({ checked, differences, repaired }: Consistency): string {
  if (differences.length === 0) return `Postgres and Temporal agree about ${checked} runs.`;
  const rows = differences.map(({ leadId, organizationId, run, postgres, temporal }) => [
    leadId,
    organizationId ?? '?',
    run,
    postgres,
    temporal,
  ]);
  return [
    table([['LEAD', 'ORGANIZATION', 'RUN', 'POSTGRES', 'TEMPORAL'], ...rows]),
    `${differences.length} of ${checked} runs differ; ${repaired} are left to the relays.`,
  ].join('\n');
}
