import type { FastStart } from './fast-start.ts';
import type { Order } from './order.ts';

type Slots = Pick<FastStart, 'takeSlot'>;

/** What became of an item, and the order that was committed for it, if one was. */
export interface Ordered<Answer> {
  order: Order | undefined;
  answer: Answer;
}

/**
 * Does work that may commit an order, and has the order carried out in the background, in a slot that is taken before.
 * @param work gets the milliseconds for which relays leave the order to this process
 * @returns the answer of the work; throws what it throws
 */
export async function withSlot<Answer>(
  fastStart: Slots,
  work: (orderDelayMs: number) => Promise<Ordered<Answer>>,
): Promise<Answer> {
  const [answer] = await withSlots(fastStart, 1, async ([orderDelayMs = 0]) => [await work(orderDelayMs)]);
  return answer as Answer;
}

/**
 * The same for several items, which are done together or not at all: each has a slot of its own, as far as there are any.
 * @param work gets the milliseconds for each of them, and answers for each, in that order
 */
export async function withSlots<Answer>(
  fastStart: Slots,
  items: number,
  work: (orderDelaysMs: number[]) => Promise<Ordered<Answer>[]>,
): Promise<Answer[]> {
  const slots = Array.from({ length: items }, () => fastStart.takeSlot());
  const done = await work(slots.map(({ orderDelayMs }) => orderDelayMs)).catch((err: unknown) => {
    for (const slot of slots) slot.release();
    throw err;
  });
  return done.map(({ order, answer }, place) => {
    if (order) slots[place]?.run(order);
    else slots[place]?.release();
    return answer;
  });
}
