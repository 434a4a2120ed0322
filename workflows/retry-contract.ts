export const BULK_RETRY = 'retryLeads';

/** The workflow id of retrying the leads that an operator has chosen. */
export const bulkRetryWorkflowId = (retryId: string) => `bulk-retry-${retryId}`;

/** Signal: makes a bulk retry that waits ask Postgres again what is wanted. */
export const BULK_RETRY_WAKE = 'wake';

/** Names a bulk retry. */
export interface BulkRetryInput {
  retryId: string;
  requestId: string;
}

export interface BulkRetryPageResult {
  /** What Postgres wants next: another page after a while, a pause until somebody wakes the run, or its end. */
  next: 'page' | 'wait' | 'end';
  /** Milliseconds until the next page: what keeps the rate. */
  afterMs: number;
}

/** Its activity on the task queue `lead`. */
export interface BulkRetryActivities {
  /** Notes what became of the leads that were retried, and retries the next ones, as many as may be now. */
  retryPage: (input: BulkRetryInput) => Promise<BulkRetryPageResult>;
}
