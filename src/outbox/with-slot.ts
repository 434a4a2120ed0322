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
  const slot = fastStart.takeSlot();
  try {
    const { order, answer } = await work(slot.orderDelayMs);
    if (order) slot.run(order);
    else slot.release();
    return answer;
  } catch (err) {
    slot.release();
    throw err;
  }
}
