export const RETENTION = 'retention';

/** The Schedule of retention; the workflow ids of its runs begin with it. */
export const RETENTION_SCHEDULE_ID = 'lead-retention';

/** Asks for a page of the leads that were untouched for so many days. */
export interface ExpiryQuery {
  retentionDays: number;
  pageSize: number;
  after?: RetentionPosition | undefined;
}

/** `after` and `erased` are set when a run goes on as a new one. */
export interface RetentionInput extends ExpiryQuery {
  /** After so many, the rest is left to a new run: no history grows too long. */
  pagesPerRun: number;
  erased?: number;
}

/** Where a page ended: leads are looked through in the order in which somebody last did something with them. */
export interface RetentionPosition {
  /** When somebody did; of before that was told from other changes, hence the name. */
  updatedAt: string;
  leadId: string;
}

export interface RetentionResult {
  erased: number;
}

export interface ExpiredPage {
  leadIds: string[];
  /** Absent on the last page. */
  next?: RetentionPosition;
}

export interface ErasureInput {
  retentionDays: number;
  leadIds: string[];
  requestId: string;
}

/** Its activities on the task queue `lead`. */
export interface RetentionActivities {
  findExpiredLeads: (query: ExpiryQuery) => Promise<ExpiredPage>;
  /** Answers how many of these leads are gone, however often it runs. */
  eraseExpiredLeads: (input: ErasureInput) => Promise<RetentionResult>;
}
