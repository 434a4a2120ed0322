import { Client, Connection, type ConnectionOptions } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { PULSE_DEADLINE_MS, takePulse } from './pulse.ts';

/** Milliseconds that one call to Temporal may take. Without it a call waits 20 s for a server that is gone. */
export const TEMPORAL_DEADLINE_MS = 5_000;

const CHANNEL = {
  // gRPC backs off for up to 2 minutes by default; Temporal is to be used again at once when it is back.
  'grpc.initial_reconnect_backoff_ms': 200,
  'grpc.max_reconnect_backoff_ms': 1_000,
  // A new client would share the dead connection of the one that it takes the place of.
  'grpc.use_local_subchannel_pool': 1,
};

/** Address, TLS, key and namespace as the Temporal CLI reads them: `TEMPORAL_*` variables over the TOML profile. */
export function loadTemporalSettings() {
  const { connectionOptions, namespace } = loadClientConnectConfig();
  return { connectionOptions, namespace: namespace ?? 'default' };
}

/** Temporal, for a process that starts and serves without it. */
export interface Temporal {
  /** The client of the moment: take it anew for each operation. */
  readonly client: Client;
  /** Whether Temporal has answered within the last seconds. */
  readonly inReach: boolean;
  close(): Promise<void>;
}

/** How long calls that a client has under way may take once another one is in its place. */
const LAST_CALLS_MS = TEMPORAL_DEADLINE_MS + 1_000;

/** Opens a client that connects when it is first used, and another one in its place when its connection is dead. */
export function openTemporal(settings = loadTemporalSettings()): Temporal {
  let client = createClient(settings);
  const askWith = (asked: Client) =>
    withDeadline(asked, () => asked.connection.workflowService.getSystemInfo({}), PULSE_DEADLINE_MS);
  const pulse = takePulse({
    ask: () => askWith(client),
    askAnew: async () => {
      const another = createClient(settings);
      try {
        await askWith(another);
      } finally {
        await another.connection.close();
      }
    },
    onLost: () => {
      const { connection } = client;
      client = createClient(settings);
      setTimeout(() => void connection.close(), LAST_CALLS_MS).unref();
    },
  });
  return {
    get client() {
      return client;
    },
    get inReach() {
      return pulse.beats;
    },
    async close() {
      pulse.stop();
      await client.connection.close();
    },
  };
}

/** Opens a client that connects when it is first used, and whose calls fail as soon as nobody answers. */
export function createClient({ connectionOptions, namespace }: ReturnType<typeof loadTemporalSettings>): Client {
  const { address, tls, apiKey, metadata } = connectionOptions;
  const options: ConnectionOptions = {
    ...(address !== undefined && { address }),
    ...(tls !== undefined && tls !== null && { tls }),
    ...(typeof apiKey === 'string' && { apiKey }),
    ...(metadata && { metadata }),
    channelArgs: CHANNEL,
    // Whoever calls knows when to try again; the SDK's own retries throw out of a timer, past everybody, once closed.
    interceptors: [],
  };
  return new Client({ connection: Connection.lazy(options), namespace });
}

/** Runs one call, or several, within the deadline. */
export function withDeadline<T>(
  client: Client,
  call: () => Promise<T>,
  milliseconds = TEMPORAL_DEADLINE_MS,
): Promise<T> {
  return client.connection.withDeadline(Date.now() + milliseconds, call);
}
