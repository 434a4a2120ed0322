import type { Queue, Queues } from '../../ops/answers.ts';
import { Table, Time, toMilliseconds, type View } from '../layout.tsx';
import type { Words } from '../words.ts';

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

function stateOf(words: Words, { paused, fresh }: Queue): string {
  if (paused === 'unknown') return words.unknown;
  if (paused) return `${words.paused}: ${paused.reason} (${paused.by})`;
  return fresh ? words.works : words.stale;
}

/** Pauses a queue, or resumes it. */
export function PauseForm({ view: { words }, queues }: { view: View; queues: readonly string[] }) {
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
          {words.reason}
          <input name="reason" required maxlength={500} />
        </label>
        <button name="command" value="pause">
          {words.pause}
        </button>
        <button name="command" value="resume">
          {words.resume}
        </button>
      </form>
    </section>
  );
}
