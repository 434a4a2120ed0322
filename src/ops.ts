import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import { FAILED_STEPS, type FailureFilter } from './failures/filter.ts';
import type { Consistency, Failures, LeadOnboarding, Queues, Retry, RetryDryRun } from './ops/answers.ts';
import { createOpsClient, OpsError } from './ops/client.ts';
import { describeConsistency, describeFailures, describeLead, describeQueues, describeRetry } from './ops/text.ts';
import { opsUrlOf, readEnvironment } from './process/environment.ts';

const LOOK_MS = 2_000;
/** Looks in a row that the API may fail to answer: half a minute, in which another one has taken its place. */
const FAILURES_BORNE = 15;
/** A retry that ended, but not well for all leads; a comparison that found differences. */
const NOT_ALL_WELL = 2;

interface FilterOptions {
  step?: FailureFilter['step'];
  error?: string;
  organization?: string;
  from?: string;
  until?: string;
}

interface RetryOptions extends FilterOptions {
  yes?: true;
  reason?: string;
  perSecond?: number;
  follow: boolean;
  id?: string;
}

const program = new Command('npm run -s ops --')
  .description(
    'Looks at the service and repairs it, over the /ops API at OPS_URL, with the key OPS_KEY of an operator.',
  )
  .option('--json', 'print JSON');

program
  .command('queues')
  .description('what waits, what is worked on, who works, what failed')
  .option('--watch', 'again every 2 s, until Ctrl-C')
  .action(async ({ watch = false }: { watch?: boolean }) => {
    for (let queues = await call<Queues>('GET', '/ops/queues'); ; queues = await lookAgain('/ops/queues')) {
      if (watch && process.stdout.isTTY && !program.opts().json) console.clear();
      print(queues, describeQueues(queues));
      if (!watch) return;
    }
  });

withFilter(program.command('failures').description('what onboardings failed of')).action(
  async (options: FilterOptions) => {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(toFilter(options))) if (value !== undefined) query.set(name, value);
    const failures = await call<Failures>('GET', `/ops/failures?${query.toString()}`);
    print(failures, describeFailures(failures));
  },
);

withFilter(program.command('retry').description('say how many leads it would be; with --yes retry all of them'))
  .option('--yes', 'do it, and follow it: exit code 2 if it did not end well for all')
  .option('--reason <text>', 'why, for the audit; needed with --yes')
  .option('--per-second <n>', 'leads a second, at most', Number)
  .option('--no-follow', 'do not wait for its end')
  .option('--id <id>', 'follow this retry, which is under way')
  .action(async (options: RetryOptions) => {
    const { yes, reason, perSecond, follow, id } = options;
    if (id !== undefined) return followRetry(await call<Retry>('GET', `/ops/retries/${id}`));
    const filter = toFilter(options);
    if (!yes) {
      const dryRun = await call<RetryDryRun>('POST', '/ops/retries', { filter });
      const some = dryRun.sample.map((leadId) => `\n  ${leadId}`).join('');
      print(dryRun, `${dryRun.leads} leads would be retried; with --yes they are.${some}`);
      return;
    }
    if (reason === undefined) program.error('Say why, for the audit: --reason.');
    const retry = await call<Retry>('POST', '/ops/retries', { filter, dryRun: false, reason, perSecond });
    if (follow) return followRetry(retry);
    print(retry, describeRetry(retry));
  });

program
  .command('consistency')
  .description('compare Postgres with Temporal; exit code 2 if they do not agree')
  .option('--repair', 'have the relays order again what has no run')
  .option('--reason <text>', 'why, for the audit; needed with --repair')
  .action(async ({ repair = false, reason }: { repair?: boolean; reason?: string }) => {
    if (repair && reason === undefined) program.error('Say why, for the audit: --reason.');
    const all: Consistency = { checked: 0, differences: [], repaired: 0, nextCursor: null };
    for (let cursor: string | undefined; ;) {
      const look = await call<Consistency>('POST', '/ops/consistency', { repair, reason, cursor });
      all.checked += look.checked;
      all.repaired += look.repaired;
      all.differences.push(...look.differences);
      if (look.nextCursor === null) break;
      cursor = look.nextCursor;
    }
    print(all, describeConsistency(all));
    if (all.differences.length > 0) process.exitCode = NOT_ALL_WELL;
  });

program
  .command('lead')
  .description("how a lead's onboarding went: ids and types, nothing of the person")
  .argument('<id>', 'of the lead')
  .action(async (id: string) => {
    const lead = await call<LeadOnboarding>('GET', `/ops/leads/${encodeURIComponent(id)}`);
    print(lead, describeLead(lead));
  });

function withFilter(command: Command): Command {
  return command
    .addOption(new Option('--step <step>', 'it failed at').choices(FAILED_STEPS))
    .option('--error <type>', 'it failed of')
    .option('--organization <id>', 'whose lead it is')
    .option('--from <time>', 'it failed then or later', readTime)
    .option('--until <time>', 'it failed before', readTime);
}

function readTime(text: string): string {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) throw new InvalidArgumentError('It must be a time, as in 2026-11-29T12:00:00Z.');
  return time.toISOString();
}

const toFilter = ({ step, error, organization, from, until }: FilterOptions): FailureFilter => ({
  step,
  errorType: error,
  organizationId: organization,
  from,
  until,
});

/** Shows how far a retry has come, until each lead has its outcome. */
async function followRetry(retry: Retry): Promise<void> {
  let shown = '';
  for (let now = retry; ; now = await lookAgain(`/ops/retries/${retry.id}`)) {
    const line = describeRetry(now);
    if (line !== shown) print(now, line);
    shown = line;
    if (now.finishedAt !== null) {
      if (now.outcomes.COMPLETED < now.total) process.exitCode = NOT_ALL_WELL;
      return;
    }
  }
}

/** Looks after a while; again, where the API does not answer. @throws OpsError when it stays away, or refuses us */
async function lookAgain<Body>(path: string): Promise<Body> {
  for (let failures = 1; ; failures += 1) {
    await sleep(LOOK_MS);
    try {
      return await call<Body>('GET', path);
    } catch (err) {
      const isAway = err instanceof OpsError && (err.status ?? 503) >= 500;
      if (!isAway || failures > FAILURES_BORNE) throw err;
    }
  }
}

const print = (value: unknown, text: string) => console.log(program.opts().json ? JSON.stringify(value) : text);

function call<Body>(method: string, path: string, body?: object): Promise<Body> {
  const env = readEnvironment(process.env);
  return createOpsClient({ url: opsUrlOf(env), key: env.OPS_KEY }).call<Body>(method, path, body);
}

if (existsSync('.env')) process.loadEnvFile();
try {
  await program.parseAsync();
} catch (err) {
  console.error(err instanceof Error ? err.message : String(err));
  process.exitCode = 1;
}
