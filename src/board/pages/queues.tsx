import type { Queue, Queues } from '../../ops/answers.ts';
import { Table, Time, toMilliseconds, type View } from '../layout.tsx';
import type { Words } from '../words/en.ts';

type Counts = Queue['done'];
type Quantiles = NonNullable<Queue['seconds']>['run'] | undefined;

const countsOf = (counts: Counts) => (counts ? `${counts.minute} / ${counts.hour} / ${counts.day}` : '–');
const timesOf = (times: Quantiles) =>
  times ? `${[times.p50, times.p95, times.p99].map(toMilliseconds).join(' / ')} ms` : '–';

/** Task queues, and who works on them. */
export function QueueTables({ view: { words }, queues: { queues } }: { view: View; queues: Queues }) {
  const heads = [
    'queue',
    'state',
    'waiting',
    'oldest',
    'byPriority',
    'active',
    'done',
    'failed',
    'wait',
    'run',
  ] as const;
  return (
    <>
      <Table
        id="queues"
        caption={words.queues}
        heads={heads.map((head) => words[head])}
        rows={queues.map((queue) => [
          <code>{queue.queue}</code>,
          stateOf(words, queue),
          queue.waiting ? String(queue.waiting.tasks) : '?',
          queue.waiting ? `${Math.round(queue.waiting.oldestSeconds)} s` : '?',
          queue.waiting?.byPriority.map(({ priority, tasks }) => `${priority}: ${tasks}`).join(', ') ?? '?',
          queue.active ? `${queue.active.slotsUsed} / ${queue.active.slots}` : '?',
          countsOf(queue.done),
          countsOf(queue.failed),
          timesOf(queue.seconds?.wait),
          timesOf(queue.seconds?.run),
        ])}
      />
      <Table
        id="workers"
        caption={words.workers}
        heads={[words.worker, words.queue, words.version, words.active, words.lastSeen]}
        rows={queues.flatMap(({ queue, workers }) =>
          (workers?.seen ?? []).map(({ identity, version, slotsUsed, slots, lastSeenAt }) => [
            <code>{identity}</code>,
            queue,
            version ?? '–',
            `${slotsUsed} / ${slots}`,
            <Time at={lastSeenAt} />,
          ]),
        )}
        empty={words.none}
      />
    </>
  );
}

function stateOf(words: Words, { limit, fresh }: Queue): string {
  if (limit === 'unknown') return words.unknown;
  if (!limit) return fresh ? words.works : words.stale;
  const { perSecond, reason, by } = limit;
  return `${perSecond === 0 ? words.paused : `≤ ${perSecond}/s`}: ${reason} (${by})`;
}

/** Pauses a queue, slows it, or resumes it. */
export function LimitForm({ view: { words }, queues }: { view: View; queues: readonly string[] }) {
  return (
    <section>
      <h2>{words.pauseOrResume}</h2>
      <p>{words.pauseHint}</p>
      <form action="/board/queues" method="post" class="action">
        <label>
          {words.queue}
          <select name="queue">
            {queues.map((queue) => (
              <option>{queue}</option>
            ))}
          </select>
        </label>
        <label>
          {words.tasksPerSecond}
          <input name="perSecond" type="number" min="0.01" step="any" placeholder="10" />
        </label>
        <label>
          {words.reason}
          <input name="reason" required maxlength={500} />
        </label>
        {(['pause', 'rate', 'resume'] as const).map((command) => (
          <button name="command" value={command}>
            {words[command]}
          </button>
        ))}
      </form>
    </section>
  );
}
