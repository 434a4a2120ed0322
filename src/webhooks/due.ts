import type { Position } from '../events/position.ts';
import type { Message } from './send.ts';

/** What an endpoint is to be sent now. */
export interface Due {
  message: Message;
  type: string;
  /** The entry of the timeline; null for what is on none. */
  entry: { leadId: string; at: Date; seq: bigint } | null;
  /** That it has failed before. */
  attempts: number;
  /** Of the first one. */
  since: Date | undefined;
  /** The place in the feed; undefined for what was set aside. */
  position: Position | undefined;
}

export interface Dues {
  due: Due[];
  /** Where the feed goes on when all of it is done. */
  next: Position | undefined;
  /** Whether the feed has more. */
  hasMore: boolean;
}
