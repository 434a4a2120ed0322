import type { Activity, Minute, Queues } from '../../ops/answers.ts';
import { Bars, Lines } from '../charts.tsx';
import type { View } from '../layout.tsx';
import type { Words } from '../words/en.ts';

/** Leads that a column shows one by one. */
const SHOWN = 12;
const STEPS = ['notifyAssignee', 'enrichLead', 'scoreLead'] as const;

type Moving = Activity['leads'][number];

const COLUMNS = ['created', 'notified', 'enriching', 'enriched', 'scored', 'troubled'] as const;
type Column = (typeof COLUMNS)[number];

/** Where a lead stands on the board: with its stage, or, when its onboarding went wrong, apart from the rest. */
const columnOf = ({ state, stage }: Moving): Column =>
  state === 'FAILED' || state === 'PARTIAL' || state === 'CANCELED' ? 'troubled' : stage;

/** What happens now: leads on their way, and the last hour. */
export function Now({ view: { words }, activity, queues }: { view: View; activity: Activity; queues: Queues }) {
  return (
    <>
      <Flow words={words} leads={activity.leads} />
      <Backlog words={words} queues={queues} />
      <LastHour words={words} minutes={activity.minutes} />
    </>
  );
}

function Flow({ words, leads }: { words: Words; leads: Moving[] }) {
  return (
    <div id="flow" class="flow">
      {COLUMNS.map((column) => {
        const here = leads.filter((lead) => columnOf(lead) === column);
        return (
          <section class={`column ${column}`}>
            <h2>
              {words[column]} <span class="count">{here.length}</span>
            </h2>
            <ul>
              {here.slice(0, SHOWN).map((lead) => (
                <li>
                  <a
                    id={`lead-${lead.leadId}`}
                    href={`/board/leads/${lead.leadId}`}
                    class={lead.priority.toLowerCase()}
                  >
                    <span class="id">{lead.leadId.slice(-12)}</span> <span class="of">{lead.organizationId}</span>
                  </a>
                </li>
              ))}
            </ul>
            {here.length === 0 && <p>{words.none}</p>}
            {here.length > SHOWN && <p>{`+ ${here.length - SHOWN} ${words.more}`}</p>}
          </section>
        );
      })}
    </div>
  );
}

function Backlog({ words, queues: { orders, onboardings } }: { words: Words; queues: Queues }) {
  return (
    <dl id="backlog" class="facts">
      <div>
        <dt>{words.underWay}</dt>
        <dd>{onboardings.map(({ state, onboardings: count }) => `${count} ${state}`).join(', ') || words.none}</dd>
      </div>
      <div>
        <dt>{words.orders}</dt>
        <dd>{orders.map((order) => `${order.orders} ${order.kind} ${order.status}`).join(', ') || words.none}</dd>
      </div>
    </dl>
  );
}

function LastHour({ words, minutes }: { words: Words; minutes: Minute[] }) {
  const counts = [
    ['created', words.leadsCreated],
    ['scored', words.leadsScored],
    ['failed', words.stepsFailed],
  ] as const;
  return (
    <section id="last-hour" class="charts">
      <h2>{words.lastHour}</h2>
      {counts.map(([name, label]) => {
        const values = minutes.map((minute) => minute[name]);
        const legend = `${label}: ${words.most} ${Math.max(0, ...values)} ${words.inAMinute}`;
        return (
          <figure>
            <figcaption>{legend}</figcaption>
            <Bars label={legend} counts={values} tone={name} />
          </figure>
        );
      })}
      {STEPS.map((step) => {
        const times = minutes.map(({ steps }) => steps.find((row) => row.step === step));
        const worst = (name: 'p50' | 'p95') => Math.round(Math.max(0, ...times.map((row) => row?.[name] ?? 0)) * 1_000);
        const legend = `${words.secondsOf} ${step}: ${words.halfTook} ${worst('p50')}, ${words.most95} ${worst('p95')}`;
        return (
          <figure>
            <figcaption>{legend}</figcaption>
            <Lines
              label={legend}
              rows={[
                { tone: 'p95', values: times.map((row) => row?.p95) },
                { tone: 'p50', values: times.map((row) => row?.p50) },
              ]}
            />
          </figure>
        );
      })}
    </section>
  );
}
