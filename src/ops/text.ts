import type { readBulkRetry } from '../failures/bulk-retry.ts';
import type { groupFailures } from '../failures/groups.ts';
import type { readOnboarding } from './lead.ts';
import type { readQueues } from './queues.ts';

type Answer<Read extends (...args: never[]) => Promise<unknown>> = Awaited<ReturnType<Read>>;
export type Queues = Answer<typeof readQueues>;
export type Failures = Answer<typeof groupFailures>;
export type Retry = Answer<typeof readBulkRetry>;
export type LeadOnboarding = Answer<typeof readOnboarding>;

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
  const rows = queues.map(({ queue, waiting, active, workers, failed, paused, fresh }) => [
    queue,
    waiting ? String(waiting.tasks) : '?',
    waiting ? `${Math.round(waiting.oldestSeconds)} s` : '?',
    waiting?.byPriority.map(({ priority, tasks }) => `${priority}:${tasks}`).join(' ') ?? '',
    active ? `${active.slotsUsed}/${active.slots}` : '?',
    workers ? String(workers.count) : '?',
    [...new Set(workers?.seen.flatMap(({ version }) => version ?? []))].join(',') || '-',
    failed ? `${failed.minute}/${failed.hour}/${failed.day}` : '-',
    [pauseOf(paused), ...(fresh ? [] : ['not read for a minute'])].filter(Boolean).join('; '),
  ]);
  const head = ['QUEUE', 'WAITING', 'OLDEST', 'BY PRIORITY', 'ACTIVE', 'WORKERS', 'VERSIONS', 'FAILED 1M/1H/24H', ''];
  const rest = [
    ...onboardings.map(({ state, onboardings: count }) => `${count} onboardings are ${state}`),
    ...orders.map(
      ({ kind, status, orders: count, ageSeconds }) =>
        `${count} orders ${kind} are ${status}, the oldest for ${Math.round(ageSeconds)} s`,
    ),
  ];
  return [table([head, ...rows]), ...rest].join('\n');
}

function pauseOf(paused: Queues['queues'][number]['paused']): string {
  if (paused === null) return '';
  return paused === 'unknown' ? 'paused? Temporal does not answer' : `PAUSED by ${paused.by}: ${paused.reason}`;
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
  ].join('\n');
}
