import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, type ApiClient, type TimelineEntry } from './demo-api.ts';

export interface Score {
  score: number;
  band: string;
  breakdown: { rule: string; points: number; reason: string }[];
}

const POLL_MS = 200;
const FAILURES_BORNE = 15;
const FAILURE_PAUSE_MS = 1_000;
/** Longer than any onboarding whose workers run. */
const GIVE_UP_AFTER_MS = 120_000;

const SENTENCES: Record<string, string> = {
  'lead.created': 'the lead and the order to onboard it are stored',
  'lead.touched': 'the same person wrote again',
  'onboarding.started': 'a worker took the onboarding',
  'notification.created': 'the assignee is notified; enrichment waits for its timer',
  'notification.skipped': 'there is nobody to notify',
  'notification.failed': 'the notification gave up',
  'enrichment.started': 'outside information is looked up',
  'enrichment.completed': 'the lead is enriched',
  'enrichment.partial': 'not every source answered',
  'enrichment.skipped': 'the enrichment was skipped',
  'score.calculated': 'the score is there',
  'onboarding.completed': 'done',
  'onboarding.canceled': 'the onboarding was canceled',
  'onboarding.failed': 'the onboarding failed',
};

/** Prints each entry of a lead's timeline as it comes, until the onboarding ends. Returns the score that it got. */
export async function followOnboarding(
  api: ApiClient,
  leadId: string,
  terminal: NodeJS.WriteStream,
): Promise<Score | undefined> {
  const startedAt = performance.now();
  const seen = new Set<string>();
  let score: Score | undefined;
  for (;;) {
    const fresh = (await readPatiently(api, leadId)).filter((entry) => !seen.has(entry.id));
    if (terminal.isTTY) terminal.write('\r\u001b[2K');
    for (const entry of fresh) {
      seen.add(entry.id);
      terminal.write(`${describe(entry)}\n`);
      if (entry.type === 'score.calculated') score = entry.data as unknown as Score;
    }
    if (fresh.some(endsOnboarding)) return score;
    const waitedMs = performance.now() - startedAt;
    if (waitedMs > GIVE_UP_AFTER_MS)
      throw new ApiError('No end of the onboarding in 2 minutes: are all workers running?');
    if (terminal.isTTY) terminal.write(`  ${elapsed(waitedMs)}  …`);
    await sleep(POLL_MS);
  }
}

/** The onboarding goes on while the API is away for a moment, so that we do too. */
async function readPatiently(api: ApiClient, leadId: string): Promise<TimelineEntry[]> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await api.readTimeline(leadId);
    } catch (error) {
      if (failures === FAILURES_BORNE) throw error;
      await sleep(FAILURE_PAUSE_MS);
    }
  }
}

/** Prints what adds up to a score. */
export function printScore({ score, band, breakdown }: Score): void {
  console.log(`\n  Score ${score}, ${band}`);
  for (const { points, reason } of breakdown) {
    console.log(`  ${(points > 0 ? `+${points}` : String(points)).padStart(9)}  ${reason}`);
  }
}

function describe({ type, elapsedMs, data }: TimelineEntry): string {
  const outcome = data['reason'] ?? (type.startsWith('onboarding.') ? data['state'] : undefined);
  const reason = typeof outcome === 'string' ? ` (${outcome})` : '';
  return `  ${elapsed(elapsedMs)}  ${type.padEnd(22)} ${SENTENCES[type] ?? ''}${reason}`.trimEnd();
}

function endsOnboarding({ type }: TimelineEntry): boolean {
  return ['onboarding.completed', 'onboarding.canceled', 'onboarding.failed', 'onboarding.partial'].includes(type);
}

function elapsed(milliseconds: number): string {
  const text = milliseconds < 1_000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1_000).toFixed(2)} s`;
  return `T+${text}`.padStart(10);
}
