import type { FastStart } from './fast-start.ts';
import type { Order } from './order.ts';

/**
 * Does work that may commit an order, and has the order carried out in the background, in a slot that is taken before.
 * @param work gets the milliseconds for which relays leave the order to this process; answers the order, if there is one
 * @returns the answer of the work; throws what it throws
 */
export async function withSlot<Answer>(
  fastStart: Pick<FastStart, 'takeSlot'>,
  work: (orderDelayMs: number) => Promise<{ order: Order | undefined; answer: Answer }>,
): Promise<Answer> {
  const slot = fastStart.takeSlot();
  const { order, answer } = await work(slot.orderDelayMs).catch((err: unknown) => {
    slot.release();
    throw err;
  });
  if (order) slot.run(order);
  else slot.release();
  return answer;
}
