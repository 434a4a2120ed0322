import { ShareUsedUp } from './fair-share.ts';

export interface GroupOptions {
  /** Pieces of work that a lane has under way at once. */
  atOnce: number;
  /** Items that one of them takes at most. */
  most: number;
  /** Milliseconds after which an item that still waits is refused. */
  waitMs: number;
}

interface Waiting<Item, Answer> {
  item: Item;
  since: number;
  resolve: (answer: Answer) => void;
  reject: (reason: unknown) => void;
}

/**
 * Does together what came while its lane was busy, as databases commit in groups: alone an item is done at once and by
 * itself, in a burst many share the cost of one statement.
 * @param work does items, in the order in which they came; answers what became of each. What it throws, all of them get
 * @returns does an item in its lane, as soon as there is room. Throws ShareUsedUp when it has waited too long
 */
export function inGroups<Item, Answer>(
  { atOnce, most, waitMs }: GroupOptions,
  work: (lane: string, items: Item[]) => Promise<PromiseSettledResult<Answer>[]>,
): (lane: string, item: Item) => Promise<Answer> {
  const lanes = new Map<string, { busy: number; waiting: Waiting<Item, Answer>[] }>();

  async function doGroup(lane: string, group: Waiting<Item, Answer>[]): Promise<void> {
    try {
      const results = await work(
        lane,
        group.map(({ item }) => item),
      );
      results.forEach((result, place) => {
        if (result.status === 'fulfilled') group[place]?.resolve(result.value);
        else group[place]?.reject(result.reason);
      });
    } catch (err) {
      for (const { reject } of group) reject(err);
    }
  }

  async function goOn(lane: string): Promise<void> {
    const own = lanes.get(lane);
    if (!own || own.busy === atOnce) return;
    const group = own.waiting.splice(0, most).filter(({ since, reject }) => {
      const isLate = performance.now() - since > waitMs;
      if (isLate) reject(new ShareUsedUp());
      return !isLate;
    });
    if (group.length > 0) {
      own.busy += 1;
      await doGroup(lane, group);
      own.busy -= 1;
    }
    if (own.waiting.length > 0) void goOn(lane);
    else if (own.busy === 0) lanes.delete(lane);
  }

  return (lane, item) =>
    new Promise((resolve, reject) => {
      const own = lanes.get(lane) ?? { busy: 0, waiting: [] };
      lanes.set(lane, own);
      own.waiting.push({ item, since: performance.now(), resolve, reject });
      void goOn(lane);
    });
}
