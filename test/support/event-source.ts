import { setTimeout as sleep } from 'node:timers/promises';
import { EventSource } from 'eventsource';
import { onTestFinished } from 'vitest';
import type { Event } from '../../src/events/event.ts';

export interface ReceivedEvent<Data = Record<string, unknown>> {
  event: string;
  /** The last id that the stream has told. */
  id: string;
  data: Data;
}

/** Asks again while the service says that it is busy: after such an answer `EventSource` would not come back. */
export async function fetchPatiently(...request: Parameters<typeof fetch>): Promise<Response> {
  for (;;) {
    const response = await fetch(...request);
    if (response.status !== 503) return response;
    await sleep(Number(response.headers.get('retry-after')) * 1_000);
  }
}

/** Follows a stream as a browser does, with its own way of coming back, until the test ends. */
export function follow(url: string, headers: Record<string, string> = {}) {
  const source = new EventSource(url, {
    fetch: (address, init) => fetchPatiently(address, { ...init, headers: { ...init.headers, ...headers } }),
  });
  onTestFinished(() => source.close());
  const events: ReceivedEvent[] = [];
  let opened = 0;
  source.addEventListener('open', () => (opened += 1));
  for (const event of ['notification', 'unread', 'event', 'position']) {
    source.addEventListener(event, ({ lastEventId: id, data }: MessageEvent) => {
      events.push({ event, id, data: JSON.parse(data as string) as Record<string, unknown> });
    });
  }
  const of = (event: string) => events.filter((received) => received.event === event);
  return {
    source,
    notifications: () => of('notification') as ReceivedEvent<{ id: string }>[],
    positions: () => of('position'),
    /** Of the feed. */
    events: () => of('event') as ReceivedEvent<Event & Record<string, unknown>>[],
    unreadCounts: () => of('unread').map(({ data }) => data['unreadCount']),
    /** How often it has connected. */
    opened: () => opened,
  };
}

export type Follower = ReturnType<typeof follow>;
