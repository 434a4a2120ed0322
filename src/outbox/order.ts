import { z } from 'zod';
import {
  LEAD_PRIORITIES,
  LEAD_SOURCES,
  ONBOARDING_SIGNALS,
  type OnboardingSignal,
  PRIORITY_SIGNAL,
} from '../../workflows/contract.ts';

const base = { id: z.uuid(), leadId: z.uuid(), organizationId: z.string() };
const count = z.number().int().min(1);
const priority = z.enum(LEAD_PRIORITIES);
const requestId = z.string();

const startOrder = z.object({
  ...base,
  kind: z.literal('START_ONBOARDING'),
  payload: z.object({
    round: count,
    enrichmentDelayMs: z.number().int().min(0),
    priority,
    source: z.enum(LEAD_SOURCES),
    requestId,
    /** True when an earlier run of the round was lost or ended badly. */
    again: z.boolean().optional(),
    /** True when it was ordered with many others: leads that somebody waits for go first. */
    inBulk: z.boolean().optional(),
    /** What that run was told, so that this one knows it from its start. */
    commands: z.array(z.enum(['enrichNow', 'skipEnrichment'])).optional(),
  }),
});

/** The round that a signal is meant for: one that comes late must not reach the next. */
const toRound = { round: count, requestId };

const signalOrder = z.object({
  ...base,
  kind: z.literal('SIGNAL_ONBOARDING'),
  payload: z.discriminatedUnion('signal', [
    z.object({
      signal: z.enum(Object.keys(ONBOARDING_SIGNALS) as OnboardingSignal[]),
      ...toRound,
      /** When the lead was erased, where that is the reason: any round is meant, and there may be no run. */
      erasedAt: z.iso.datetime().optional(),
    }),
    z.object({ signal: z.literal(PRIORITY_SIGNAL), priority, version: count, ...toRound }),
  ]),
});

const notifyOrder = z.object({
  ...base,
  kind: z.literal('NOTIFY_ASSIGNEE'),
  payload: z.object({
    assignment: count,
    priority,
    requestId,
    /** True when an earlier run was lost or ended without a notification. */
    again: z.boolean().optional(),
  }),
});

const rescoreOrder = z.object({
  id: z.uuid(),
  leadId: z.null(),
  organizationId: z.string(),
  kind: z.literal('RESCORE_LEADS'),
  payload: z.object({ rescoreId: z.uuid(), requestId }),
});

const retryOrder = z.object({
  id: z.uuid(),
  leadId: z.null(),
  organizationId: z.null(),
  kind: z.literal('RETRY_LEADS'),
  payload: z.object({ retryId: z.uuid(), requestId }),
});

const enrichOrder = z.object({
  ...base,
  kind: z.literal('ENRICH_LEAD'),
  payload: z.object({ run: z.uuid(), fresh: z.boolean(), priority, requestId }),
});

/** Something that Temporal is to do, kept in Postgres until it has taken it. */
export const orderSchema = z.discriminatedUnion('kind', [
  startOrder,
  signalOrder,
  notifyOrder,
  enrichOrder,
  rescoreOrder,
  retryOrder,
]);

/** Start the onboarding of a lead. */
export type StartOrder = z.infer<typeof startOrder>;
/** Pass a command on to the run of a lead. */
export type SignalOrder = z.infer<typeof signalOrder>;
/** Tell the assignee that a lead got after its creation. */
export type NotifyOrder = z.infer<typeof notifyOrder>;
/** See to it that the run of a rescore is there, and looks at what is wanted. */
export type RescoreOrder = z.infer<typeof rescoreOrder>;
/** See to it that the run of a bulk retry is there, and looks at what is wanted. */
export type RetryOrder = z.infer<typeof retryOrder>;
/** Enrich a lead again, after its onboarding. */
export type EnrichOrder = z.infer<typeof enrichOrder>;
export type Order = z.infer<typeof orderSchema>;

/** An order that newer code has written, while copies of both run: this code lacks a word of it. */
export class UnknownOrder extends Error {
  override name = 'UnknownOrder';
}

const UNKNOWN_WORD = new Set(['invalid_value', 'invalid_union']);

/**
 * A row of the outbox → the order that it is.
 * @throws UnknownOrder when nothing is wrong with it but a kind, a signal or another word that is not known here
 * @throws ZodError when it is no order
 */
export function readOrder(row: unknown): Order {
  const { data, error } = orderSchema.safeParse(row);
  if (data) return data;
  const isWord = ({ code, path }: z.core.$ZodIssue) => UNKNOWN_WORD.has(code) && typeof valueAt(row, path) === 'string';
  if (!error.issues.every(isWord)) throw error;
  throw new UnknownOrder(error.issues.map(({ path }) => path.join('.')).join(', '));
}

const valueAt = (row: unknown, path: PropertyKey[]): unknown =>
  path.reduce((value, name) => (value as Record<PropertyKey, unknown>)[name], row);
