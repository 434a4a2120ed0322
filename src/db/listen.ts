import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import pgListen from 'pg-listen';
import type { Logger } from '../telemetry/logger.ts';

const RECONNECT_MS = 1_000;
/** How often the connection is asked whether it lives: one that hangs says nothing of its own accord. */
const CHECK_MS = 5_000;
const ANSWER_WITHIN_MS = 3_000;
/** A server that is frozen does not say goodbye. */
const GOODBYE_MS = 1_000;

export interface Listener {
  onMessage: (payload: string) => void;
  /** Called whenever the connection stands again: what was sent before that may have been missed. */
  onConnected: () => void;
}

/**
 * Listens on a channel of Postgres over a connection of its own, which has the pool's address and deadlines, and
 * connects again for as long as it takes.
 * @returns a function that ends it
 */
export function listen(pool: Pool, channel: string, listener: Listener, log: Logger): () => Promise<void> {
  const connection = {
    ...pool.options,
    application_name: `${pool.options.application_name}:${channel}`,
    query_timeout: ANSWER_WITHIN_MS,
  };
  const subscriber = pgListen.default<Record<string, string>>(connection, {
    retryInterval: RECONNECT_MS,
    retryTimeout: Infinity,
    paranoidChecking: CHECK_MS,
    parse: (payload) => payload,
  });
  subscriber.notifications.on(channel, listener.onMessage);
  subscriber.events.on('connected', () => {
    log.info({ channel }, 'listening');
    listener.onConnected();
  });
  subscriber.events.on('reconnect', (attempt) => {
    if (attempt === 1) log.warn({ channel }, 'not listening: the connection is lost');
  });
  subscriber.events.on('error', (err) => log.warn({ channel, err }, 'not listening'));
  void begin().catch(() => undefined); // the subscriber goes on by itself, as after any loss of its connection

  async function begin(): Promise<void> {
    await Promise.all([subscriber.connect(), subscriber.listenTo(channel)]);
    listener.onConnected(); // the subscriber says so before it listens
  }

  return async () => {
    await Promise.race([subscriber.close(), sleep(GOODBYE_MS, undefined, { ref: false })]);
  };
}
