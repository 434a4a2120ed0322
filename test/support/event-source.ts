import { EventSource } from 'eventsource';
import { onTestFinished } from 'vitest';

export interface ReceivedEvent<Data = Record<string, unknown>> {
  event: string;
  /** The last id that the stream has told. */
  id: string;
  data: Data;
}

/** Follows a stream as a browser does, with its own way of coming back, until the test ends. */
export function follow(url: string, headers: Record<string, string> = {}) {
  const source = new EventSource(url, {
    fetch: (address, init) => fetch(address, { ...init, headers: { ...init.headers, ...headers } }),
  });
  onTestFinished(() => source.close());
  const events: ReceivedEvent[] = [];
  let opened = 0;
  source.addEventListener('open', () => (opened += 1));
  for (const event of ['notification', 'unread']) {
    source.addEventListener(event, ({ lastEventId: id, data }: MessageEvent) => {
      events.push({ event, id, data: JSON.parse(data as string) as Record<string, unknown> });
    });
  }
  const of = (event: string) => events.filter((received) => received.event === event);
  return {
    source,
    notifications: () => of('notification') as ReceivedEvent<{ id: string }>[],
    unreadCounts: () => of('unread').map(({ data }) => data['unreadCount']),
    /** How often it has connected. */
    opened: () => opened,
  };
}

export type Follower = ReturnType<typeof follow>;
