export const RESCORE = 'rescoreLeads';

/** The workflow id of scoring all leads of an organization anew. */
export const rescoreWorkflowId = (rescoreId: string) => `score-rescore-${rescoreId}`;

/** Signal: makes a rescore that waits ask Postgres again what is wanted. */
export const RESCORE_WAKE = 'wake';

/** Names the scoring of all leads of an organization by a new version of its rules. */
export interface RescoreRef {
  rescoreId: string;
  organizationId: string;
  requestId: string;
}

export interface RescoreInput extends RescoreRef {
  /** Pages that are done, as far as this run knows: Postgres knows better. */
  pages: number;
}

export interface RescorePageResult {
  /** Pages that are done. */
  pages: number;
  /** What Postgres wants next: another page, a pause until somebody wakes the run, or its end. */
  next: 'page' | 'wait' | 'end';
}

/** Its activity on the task queue `lead`. */
export interface RescoreActivities {
  /** Scores the next page of leads anew, unless it is done already, or is not wanted now. */
  rescorePage: (input: RescoreInput) => Promise<RescorePageResult>;
}
