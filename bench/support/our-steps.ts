/** When the steps of a lead were done, in milliseconds from its `created_at`. */
export interface Steps {
  id: string;
  /** The commit of its notification. */
  notified: number;
  /** The moment of that commit. */
  notifiedAt: number;
  /** By which the enrichment began later than the delay; for the old design, by which it had ended. */
  timer: number;
  /** The commit of the score. */
  scored: number;
}

/** What `npm start` waits before an enrichment. */
export const DELAY_MS = 10_000;

/** Milliseconds, of an interval or a time in SQL. */
export const ms = (interval: string) => `(extract(epoch FROM ${interval}) * 1000)::float8`;

/** A row's own time is some milliseconds older than the moment when others see it: `track_commit_timestamp` has to be on. */
export const NOTIFIED = `pg_xact_commit_timestamp(notification.xmin)`;

/** Answers one row of `Steps` for each lead whose steps are all done. */
export const OUR_STEPS = `
  SELECT created.lead_id AS id, ${ms(`${NOTIFIED} - created.at`)} AS notified, ${ms(NOTIFIED)} AS "notifiedAt",
         ${ms('started.at - created.at')} - ${DELAY_MS} AS timer,
         ${ms('pg_xact_commit_timestamp(scored.xmin) - created.at')} AS scored
  FROM lead_event AS created
  JOIN notification USING (lead_id)
  JOIN lead_event AS started ON started.lead_id = created.lead_id AND started.type = 'enrichment.started'
  JOIN lead_event AS scored ON scored.lead_id = created.lead_id AND scored.type = 'score.calculated'
  WHERE created.type = 'lead.created'`;
