import type { PrismaClient, WebhookDelivery } from '../db/generated/client.ts';
import { type EventType, placeOf } from '../events/event.ts';
import type { Position } from '../events/position.ts';
import { CursorGone, readEvent, readFeed } from '../events/read-feed.ts';
import { toMessage, toTestMessage, TEST_TYPE } from './message.ts';
import { readTold, readToldOf } from './operator-messages.ts';
import type { Due, Dues } from './due.ts';
import type { Message } from './send.ts';
import type { Turn } from './turn.ts';

/** Of the feed, at once: what may be sent twice when a worker is killed. */
const FRESH = 25;
/** Of what was set aside. */
const SET_ASIDE = 10;

/**
 * What an endpoint is to be sent now: of what it did not take and is due again, and of what is next in the feed, in turns,
 * so that neither waits for all of the other. One that is in trouble is asked with what it has not refused yet, if there is
 * something: it may be the events that it does not take.
 */
export async function readDue(prisma: PrismaClient, turn: Turn): Promise<Dues> {
  const aside = turn.hasSetAside ? await readSetAside(prisma, turn) : [];
  const fresh = await readFresh(prisma, turn, turn.inTrouble ? 1 : FRESH);
  const due = turn.inTrouble ? [...fresh.due, ...aside] : inTurns(aside, fresh.due);
  return { ...fresh, due };
}

function inTurns(some: readonly Due[], others: readonly Due[]): Due[] {
  const longest = some.length > others.length ? some : others;
  return longest.flatMap((_, at) => [...some.slice(at, at + 1), ...others.slice(at, at + 1)]);
}

async function readFresh(prisma: PrismaClient, turn: Turn, limit: number): Promise<Dues> {
  const { organizationId, types, withPersons } = turn.endpoint;
  const after = turn.position;
  if (organizationId === null) return readTold(prisma, after, limit);
  const asked = types.length === 0 ? undefined : (types as EventType[]);
  const read = (from: Position | undefined) =>
    readFeed(prisma, { organizationId, after: from, types: asked, limit, withPersons });
  const page = await read(after).catch((err: unknown) => {
    if (err instanceof CursorGone) return read(undefined); // it was paused for longer than events are given out
    throw err;
  });
  const due = page.items.map((event) => {
    return { message: toMessage(event), type: event.type, attempts: 0, since: undefined, ...placeOf(event) };
  });
  return { due, next: page.next, hasMore: page.hasMore };
}

async function readSetAside(prisma: PrismaClient, { endpoint, inTrouble }: Turn): Promise<Due[]> {
  const rows = await prisma.webhookDelivery.findMany({
    where: { endpointId: endpoint.id, failedAt: null, nextAt: { lte: new Date() } },
    orderBy: { nextAt: 'asc' },
    take: inTrouble ? 1 : SET_ASIDE,
  });
  const due: Due[] = [];
  for (const row of rows) {
    const message = await readMessage(prisma, endpoint, row);
    const { type, attempts, since } = row;
    if (message) due.push({ message, type, entry: entryOf(row), attempts, since, position: undefined });
    else await prisma.webhookDelivery.deleteMany({ where: { endpointId: row.endpointId, eventId: row.eventId } });
  }
  return due;
}

/** @returns undefined when there is nothing to say any more: the lead was erased */
async function readMessage(
  prisma: PrismaClient,
  { id, organizationId, withPersons }: Turn['endpoint'],
  row: WebhookDelivery,
): Promise<Message | undefined> {
  if (row.type === TEST_TYPE) return toTestMessage(row.eventId, id);
  if (organizationId === null) return readToldOf(prisma, row.eventId);
  const entry = entryOf(row);
  const event = entry && (await readEvent(prisma, entry, withPersons));
  return event ? toMessage(event) : undefined;
}

function entryOf({ leadId, eventAt, eventSeq }: WebhookDelivery): Due['entry'] {
  return leadId !== null && eventAt !== null && eventSeq !== null ? { leadId, at: eventAt, seq: eventSeq } : null;
}
