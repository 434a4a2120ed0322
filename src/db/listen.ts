import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from '../telemetry/logger.ts';
import { createImpatientClient } from './impatient-client.ts';

const RECONNECT_MS = 1_000;
/** How often the connection is asked whether it lives: one that hangs says nothing of its own accord. Its client ends it then. */
const CHECK_MS = 5_000;
/** A server that is frozen does not say goodbye. */
const GOODBYE_MS = 1_000;

export interface Listener {
  onMessage: (payload: string) => void;
  /** Called whenever it listens again: what was sent before that may have been missed. */
  onListening: () => void;
}

/**
 * Listens on a channel of Postgres over a connection of its own, which has the pool's address and deadlines. Whatever
 * happens to it, refusals of `LISTEN` included, it is closed and followed by another, for as long as it takes.
 * @returns a function that ends it
 */
export function listen(pool: pg.Pool, channel: string, listener: Listener, log: Logger): () => Promise<void> {
  const stopping = new AbortController();
  const { signal } = stopping;
  const Client = createImpatientClient();
  const config = { ...pool.options, application_name: `${pool.options.application_name}:${channel}` };
  let isHearing: boolean | undefined;

  /** @throws why it hears nothing, or nothing more */
  async function hear(): Promise<never> {
    const client = new Client(config);
    client.on('notification', ({ payload = '' }) => listener.onMessage(payload));
    client.on('error', () => undefined); // what is awaited fails with it
    let checks: NodeJS.Timeout | undefined;
    try {
      await client.connect();
      await client.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
      signal.throwIfAborted();
      isHearing = true;
      log.info({ channel }, 'listening');
      listener.onListening();
      checks = setInterval(() => void client.query('SELECT').catch(() => undefined), CHECK_MS);
      await once(client, 'end', { signal });
      throw new Error('The connection has ended');
    } finally {
      clearInterval(checks);
      await Promise.race([client.end(), sleep(GOODBYE_MS, undefined, { ref: false })]);
    }
  }

  async function loop(): Promise<void> {
    while (!signal.aborted) {
      await hear().catch((err: unknown) => {
        if (isHearing !== false && !signal.aborted) log.warn({ channel, err }, 'not listening');
        isHearing = false;
      });
      await sleep(RECONNECT_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  const ended = loop();
  return async () => {
    stopping.abort();
    await ended;
  };
}
