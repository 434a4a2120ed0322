import { z } from '@hono/zod-openapi';
import { ONBOARDING_STATES, SCORE_BANDS } from '../../workflows/contract.ts';
import { decodePosition, encodePosition, type Position } from './position.ts';

const code = z.string();
const number = z.number();
const userId = z.string().nullable();
const reason = { reason: code.optional() };
const field = z.object({ from: z.unknown(), to: z.unknown() });

/**
 * What each event says. The first part is of ids, enums and numbers, for whoever reads the feed; the second one is of a
 * person, and is there only for whoever may read leads.
 */
const KINDS = {
  'lead.created': [
    { source: code, status: code, assignedTo: userId },
    { name: z.string(), email: z.string().nullable() },
  ],
  'lead.updated': [{ fields: z.array(code) }, { changes: z.record(z.string(), field) }],
  'lead.touched': [
    { source: code },
    {
      name: z.string(),
      email: z.string().nullable(),
      phone: z.string().nullable(),
      company: z.string().nullable(),
      attributes: z.record(z.string(), z.unknown()),
    },
  ],
  'lead.touches-dropped': [{ count: number, until: z.string() }, {}],
  'lead.assigned': [{ from: userId, to: userId }, {}],
  'lead.archived': [{}, {}],
  'lead.unarchived': [reason, {}],
  'lead.erased': [{ reason: code }, {}],
  'onboarding.started': [{}, {}],
  'onboarding.completed': [{ state: z.enum(ONBOARDING_STATES) }, {}],
  'onboarding.canceled': [{}, {}],
  'onboarding.failed': [reason, {}],
  'notification.created': [{ notificationId: z.uuid(), userId: z.string() }, {}],
  'notification.skipped': [{ reason: code, notificationId: z.uuid().optional() }, {}],
  'notification.failed': [reason, {}],
  'notification.delivered': [{ notificationId: z.uuid() }, {}],
  'enrichment.ordered': [{ run: number, fresh: z.boolean() }, {}],
  'enrichment.started': [{}, {}],
  'enrichment.completed': [{ fields: z.array(code), providers: z.array(z.unknown()) }, {}],
  'enrichment.partial': [{ fields: z.array(code), providers: z.array(z.unknown()), ...reason }, {}],
  'enrichment.skipped': [reason, {}],
  'score.calculated': [
    {
      score: number,
      band: z.enum(SCORE_BANDS),
      ruleVersion: number,
      breakdown: z.array(z.object({ rule: code, points: number, reason: z.string() })),
    },
    {},
  ],
  'score.overridden': [{ from: number.nullable(), to: number }, {}],
  'score.override-removed': [{ from: number.nullable(), to: number }, {}],
  'webhook.paused': [{ endpointId: z.uuid(), reason: code }, {}],
  'command.accepted': [{ command: code, round: number }, {}],
} satisfies Record<string, [z.ZodRawShape, z.ZodRawShape]>;

/** The one event that is not of a lead: in place of its id the entry has that of the endpoint. */
export const NO_LEAD = 'webhook.paused' satisfies keyof typeof KINDS;

export type EventType = keyof typeof KINDS;
export const EVENT_TYPES = Object.keys(KINDS) as EventType[];

/** Of the payloads: raised when one changes so that its readers have to. */
const VERSION = 1;

/** An entry of a timeline, as the feed's query reads it. */
export interface EntryRow {
  xid: string;
  seq: string;
  id: string;
  leadId: string;
  type: string;
  at: Date;
  data: Record<string, unknown>;
}

/** Of every type one. */
export const EVENT_SCHEMAS = Object.entries(KINDS).map(([type, [own, personal]]) =>
  z
    .object({
      id: z.uuid().openapi({ description: 'Stays the same however often an event is read or sent' }),
      type: z.literal(type),
      version: z.literal(VERSION).openapi({ description: 'Of `data`' }),
      at: z.iso.datetime().openapi({ description: 'When it happened; not the order of the feed' }),
      leadId: type === NO_LEAD ? z.null() : z.uuid(),
      cursor: z.string().openapi({ description: 'The place of the event: for `after`', example: '7301-118' }),
      data: z.object({ ...own, ...z.object(personal).partial().shape }),
    })
    .openapi(`${nameOf(type)}Event`),
);

/** An event as the API answers it. Of a person it tells whoever may read leads. */
export const eventSchema = z
  .discriminatedUnion('type', EVENT_SCHEMAS as [(typeof EVENT_SCHEMAS)[number], ...(typeof EVENT_SCHEMAS)[number][]])
  .openapi('Event');

export type Event = z.infer<typeof eventSchema>;

/** `lead.touches-dropped` → `LeadTouchesDropped` */
function nameOf(type: string): string {
  return type.replaceAll(/(?:^|[.-])(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/**
 * An entry of a timeline → the event. What an entry says beyond its kind stays on the timeline.
 * @param withPerson whether it may tell of the person
 * @returns undefined for an entry that is no event
 */
export function toEvent({ xid, seq, at, data, ...row }: EntryRow, withPerson: boolean): Event | undefined {
  if (!isEventType(row.type)) return undefined;
  const [own, personal] = KINDS[row.type];
  const said = row.type === 'lead.updated' ? { fields: Object.keys(data['changes'] ?? {}), ...data } : data;
  const known = new Set(Object.keys(withPerson ? { ...own, ...personal } : own));
  return {
    id: row.id,
    type: row.type,
    version: VERSION,
    at: at.toISOString(),
    leadId: row.type === NO_LEAD ? null : row.leadId,
    cursor: encodePosition({ xid: BigInt(xid), seq: BigInt(seq) }),
    data: Object.fromEntries(Object.entries(said).filter(([name]) => known.has(name))),
  } as Event;
}

const isEventType = (type: string): type is EventType => type in KINDS;

/** Where in the feed an event stands, and where the entry is that it was made of. */
export function placeOf(event: Event): { position: Position; entry: { leadId: string; at: Date; seq: bigint } } {
  const position = decodePosition(event.cursor);
  const leadId = event.leadId ?? (event.data as { endpointId?: string }).endpointId;
  if (!position || leadId === undefined) throw new Error(`${event.id} is not an event of the feed`);
  return { position, entry: { leadId, at: new Date(event.at), seq: position.seq } };
}
