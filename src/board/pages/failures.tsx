import type { FailureGroup, Failures, Retry, RetryDryRun } from '../../ops/answers.ts';
import { Table, Time, type View } from '../layout.tsx';

/** What names a group of failures, in a query and in a form. */
export const GROUP_FIELDS = ['step', 'errorType', 'organizationId'] as const;
export type GroupFilter = Pick<FailureGroup, (typeof GROUP_FIELDS)[number]>;

/** What onboardings failed of, by cause. */
export function FailureTable({ view: { words }, failures }: { view: View; failures: Failures }) {
  return (
    <>
      <Table
        id="failures"
        caption={words.failures}
        heads={[words.leads, words.step, words.error, words.organization, words.newest, '']}
        empty={words.nothingFailed}
        rows={failures.items.map((group) => [
          String(group.leads),
          group.step,
          <code>{group.errorType}</code>,
          group.organizationId,
          <Time at={group.newestAt} />,
          <a id={`retry-${idOf(group)}`} href={`/board/failures/retry?${queryOf(group)}`}>
            {words.lookAtRetry}
          </a>,
        ])}
      />
      {!failures.complete && <p id="more-groups">{words.moreGroups}</p>}
    </>
  );
}

const queryOf = (group: GroupFilter) =>
  new URLSearchParams(GROUP_FIELDS.map((name): [string, string] => [name, group[name]])).toString();
const idOf = (group: GroupFilter) => queryOf(group).replaceAll(/[^\w-]/g, '_');

/** What a retry of a group would be, and the button that begins it. */
export function RetryForm({
  view: { words },
  filter,
  dryRun,
}: {
  view: View;
  filter: GroupFilter;
  dryRun: RetryDryRun;
}) {
  return (
    <section>
      <dl class="facts">
        <div>
          <dt>{words.step}</dt>
          <dd>{filter.step}</dd>
        </div>
        <div>
          <dt>{words.error}</dt>
          <dd>
            <code>{filter.errorType}</code>
          </dd>
        </div>
        <div>
          <dt>{words.organization}</dt>
          <dd>{filter.organizationId}</dd>
        </div>
        <div>
          <dt>{words.wouldRetry}</dt>
          <dd id="would-retry">{String(dryRun.leads)}</dd>
        </div>
      </dl>
      <h2>{words.someOfThem}</h2>
      <ul>
        {dryRun.sample.map((leadId) => (
          <li>
            <a href={`/board/leads/${leadId}`}>{leadId}</a>
          </li>
        ))}
      </ul>
      <form action="/board/retries" method="post" class="action">
        {GROUP_FIELDS.map((name) => (
          <input type="hidden" name={name} value={filter[name]} />
        ))}
        <label>
          {words.perSecond}
          <input name="perSecond" type="number" min={1} max={50} value="10" required />
        </label>
        <label>
          {words.reason}
          <input name="reason" required maxlength={500} />
        </label>
        <button>{words.retryAll}</button>
      </form>
    </section>
  );
}

/** How far a retry has come. */
export function RetryProgress({ view: { words }, retry }: { view: View; retry: Retry }) {
  const left = retry.outcomes.WAITING + retry.outcomes.UNDER_WAY;
  return (
    <>
      <dl id="progress" class="facts">
        <div>
          <dt>{words.state}</dt>
          <dd>{retry.state}</dd>
        </div>
        <div>
          <dt>{words.leads}</dt>
          <dd>
            <progress value={retry.total - left} max={Math.max(1, retry.total)} aria-label={words.retry} />{' '}
            {`${retry.total - left} / ${retry.total}`}
          </dd>
        </div>
        <div>
          <dt>{words.because}</dt>
          <dd>{retry.reason}</dd>
        </div>
      </dl>
      <Table
        id="outcomes"
        caption={words.outcome}
        heads={[words.outcome, words.leads]}
        rows={Object.entries(retry.outcomes).map(([outcome, leads]) => [outcome, String(leads)])}
      />
    </>
  );
}

/** Pauses, resumes or ends a retry. */
export function RetryCommands({ view: { words }, id }: { view: View; id: string }) {
  return (
    <form action={`/board/retries/${id}`} method="post" class="action">
      <label>
        {words.reason}
        <input name="reason" required maxlength={500} />
      </label>
      {(['pause', 'resume', 'cancel'] as const).map((command) => (
        <button name="command" value={command}>
          {words[command]}
        </button>
      ))}
    </form>
  );
}
