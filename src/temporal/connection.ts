import { Client, Connection, type ConnectionOptions } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';

/** Milliseconds that one call to Temporal may take. Without it a call waits 20 s for a server that is gone. */
export const TEMPORAL_DEADLINE_MS = 5_000;

/** gRPC backs off for up to 2 minutes by default; Temporal is to be used again at once when it is back. */
const RECONNECT = { 'grpc.initial_reconnect_backoff_ms': 200, 'grpc.max_reconnect_backoff_ms': 1_000 };

/** Address, TLS, key and namespace as the Temporal CLI reads them: `TEMPORAL_*` variables over the TOML profile. */
export function loadTemporalSettings() {
  const { connectionOptions, namespace } = loadClientConnectConfig();
  return { connectionOptions, namespace: namespace ?? 'default' };
}

/** A client that connects when it is first used, so that a process starts, and serves, without Temporal. */
export function createTemporalClient(settings = loadTemporalSettings()): Client {
  const { address, tls, apiKey, metadata } = settings.connectionOptions;
  const options: ConnectionOptions = {
    ...(address !== undefined && { address }),
    ...(tls !== undefined && tls !== null && { tls }),
    ...(typeof apiKey === 'string' && { apiKey }),
    ...(metadata && { metadata }),
    channelArgs: RECONNECT,
  };
  return new Client({ connection: Connection.lazy(options), namespace: settings.namespace });
}

/** Runs one call, or several, within the deadline. */
export function withDeadline<T>(
  client: Client,
  call: () => Promise<T>,
  milliseconds = TEMPORAL_DEADLINE_MS,
): Promise<T> {
  return client.connection.withDeadline(Date.now() + milliseconds, call);
}
