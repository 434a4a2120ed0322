/** An organization has as much under way as is its share, and what came later has waited long enough. */
export class ShareUsedUp extends Error {
  override name = 'ShareUsedUp';
  constructor() {
    super('Your organization has as many requests under way as is its share: wait for some of them, and try again.');
  }
}

/** Does work for an organization within its share. @throws ShareUsedUp, and what the work throws */
export type Share = <T>(organizationId: string, work: () => Promise<T>) => Promise<T>;

/** Everybody may have everything. */
export const unshared: Share = (_, work) => work();

export interface ShareOptions {
  /** What one organization may have under way at once. */
  atOnce: number;
  /** Milliseconds for which more of it waits. */
  waitMs: number;
}

interface Lane {
  busy: number;
  waiting: (() => void)[];
}

/** Gives every organization a share, so that no one of them takes what the others need. */
export function createShare({ atOnce, waitMs }: ShareOptions): Share {
  const lanes = new Map<string, Lane>();

  function enter(lane: Lane): Promise<void> {
    if (lane.busy < atOnce) {
      lane.busy += 1;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const go = () => {
        clearTimeout(patience);
        resolve();
      };
      const patience = setTimeout(() => {
        lane.waiting.splice(lane.waiting.indexOf(go), 1);
        reject(new ShareUsedUp());
      }, waitMs);
      lane.waiting.push(go);
    });
  }

  function leave(organizationId: string, lane: Lane): void {
    const next = lane.waiting.shift();
    if (next)
      next(); // in the place of the one that leaves
    else lane.busy -= 1;
    if (lane.busy === 0) lanes.delete(organizationId);
  }

  return async (organizationId, work) => {
    const lane = lanes.get(organizationId) ?? { busy: 0, waiting: [] };
    lanes.set(organizationId, lane);
    await enter(lane);
    try {
      return await work();
    } finally {
      leave(organizationId, lane);
    }
  };
}
