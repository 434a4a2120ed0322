import type { LeadOnboarding } from '../../ops/answers.ts';
import { Lines } from '../charts.tsx';
import { Table, Time, type View } from '../layout.tsx';

/** A lead's onboarding: what it did, each attempt of it, who gave which field, and its scores. */
export function LeadDetails({ view: { words }, lead }: { view: View; lead: LeadOnboarding }) {
  const { enrichment, scores } = lead;
  const latest = scores.at(-1);
  return (
    <>
      <dl id="lead" class="facts">
        <div>
          <dt>{words.organization}</dt>
          <dd>{lead.organizationId}</dd>
        </div>
        <div>
          <dt>{words.state}</dt>
          <dd>
            {`${lead.state}, ${words.round} ${lead.round}, ${words.since} `}
            <Time at={lead.changedAt} />
          </dd>
        </div>
        <div>
          <dt>Temporal</dt>
          <dd>
            <a href={lead.temporalUrl}>{words.inTemporal}</a> {`(${lead.temporal})`}
          </dd>
        </div>
        {lead.pending.length > 0 && (
          <div>
            <dt>{words.pending}</dt>
            <dd>
              {lead.pending
                .map(
                  ({ activity, attempt, lastError }) => `${activity} #${attempt}${lastError ? ` (${lastError})` : ''}`,
                )
                .join(', ')}
            </dd>
          </div>
        )}
      </dl>
      <Table
        id="timeline"
        caption={words.timeline}
        heads={[words.at, words.step, words.entry, words.attempt, words.because]}
        rows={lead.entries.map((entry) => [
          <Time at={entry.at} />,
          <code>{entry.step}</code>,
          entry.type,
          entry.attempt === null ? '' : String(entry.attempt),
          entry.reason ?? '',
        ])}
        empty={words.notYet}
      />
      <Table
        id="attempts"
        caption={words.attempts}
        heads={[
          words.at,
          words.step,
          words.attempt,
          words.outcome,
          words.waited,
          words.took,
          words.worker,
          words.error,
        ]}
        rows={lead.attempts.map((attempt) => [
          <Time at={attempt.startedAt} />,
          attempt.step,
          String(attempt.attempt),
          attempt.outcome,
          `${attempt.waitedMs} ms`,
          `${attempt.durationMs} ms`,
          <code>{attempt.worker}</code>,
          attempt.error ? `${attempt.error.type}: ${attempt.error.message}` : '',
        ])}
        empty={words.noAttempts}
      />
      <Table
        id="providers"
        caption={words.enrichment}
        heads={[words.provider, words.answer, words.because]}
        rows={enrichment?.providers.map(({ provider, answer, reason }) => [provider, answer, reason ?? '']) ?? []}
        empty={words.notYet}
      />
      {enrichment && (
        <Table
          id="fields"
          caption={words.source}
          heads={[words.field, words.source, words.confidence]}
          rows={enrichment.fields.map(({ field, source, confidence }) => [field, source, String(confidence)])}
          empty={words.none}
        />
      )}
      <Table
        id="scores"
        caption={words.scores}
        heads={[words.at, words.score, words.cause, words.rules]}
        rows={scores.map(({ at, score, band, cause, ruleVersion }) => [
          <Time at={at} />,
          `${score} ${band}`,
          cause,
          String(ruleVersion),
        ])}
        empty={words.notYet}
      />
      {latest && (
        <section id="ledger">
          {scores.length > 1 && (
            <Lines label={words.scores} rows={[{ tone: 'score', values: scores.map(({ score }) => score) }]} />
          )}
          <h2>{`${latest.score} ${latest.band}`}</h2>
          <dl class="ledger">
            {latest.lines.map(({ rule, points }) => (
              <div>
                <dt>
                  <code>{rule}</code>
                </dt>
                <dd>
                  <meter min={0} max={100} value={Math.abs(points)} aria-label={rule} />{' '}
                  {points > 0 ? `+${points}` : points}
                </dd>
              </div>
            ))}
          </dl>
        </section>
      )}
    </>
  );
}
