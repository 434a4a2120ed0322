import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import pgListen from 'pg-listen';
import type { Logger } from '../logger.ts';
import { ORDERS_CHANNEL } from './wake.ts';

const RECONNECT_MS = 1_000;
/** How often the connection is asked whether it lives: one that hangs says nothing of its own accord. */
const CHECK_MS = 5_000;
/** A server that is frozen does not say goodbye. */
const GOODBYE_MS = 1_000;

/**
 * Calls `onOrder` when an API process says that an order waits. It does so over a connection of its own, with the
 * pool's address and deadlines, and connects again for as long as it takes: meanwhile relays poll.
 * @returns a function that ends it
 */
export function listenForOrders(pool: Pool, onOrder: () => void, log: Logger): () => Promise<void> {
  const subscriber = pgListen.default(
    { ...pool.options, query_timeout: CHECK_MS }, // else the check waits for ever on a connection that is dead
    {
      retryInterval: RECONNECT_MS,
      retryTimeout: Infinity,
      paranoidChecking: CHECK_MS,
    },
  );
  subscriber.notifications.on(ORDERS_CHANNEL, onOrder);
  subscriber.events.on('connected', () => log.info('listening for orders'));
  subscriber.events.on('reconnect', (attempt) => {
    if (attempt === 1) log.warn('not listening for orders: the connection is lost');
  });
  subscriber.events.on('error', (err) => log.warn({ err }, 'not listening for orders'));
  // When this fails, the subscriber goes on by itself as after any loss of its connection.
  void Promise.allSettled([subscriber.connect(), subscriber.listenTo(ORDERS_CHANNEL)]);
  return async () => {
    await Promise.race([subscriber.close(), sleep(GOODBYE_MS, undefined, { ref: false })]);
  };
}
