import { once } from 'node:events';
import type { Server, ServerOptions } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { protectServer, serverOptions } from '../../src/http/server/limits.ts';

type Fetch = Parameters<typeof serve>[0]['fetch'];

/** Serves an app on a free port as the API process does, for what only a socket shows: addresses, chunks, slow callers. */
export async function listen({ app }: { app: { fetch: Fetch } }, options: ServerOptions = {}, at = 0) {
  const server = serve({
    fetch: app.fetch,
    hostname: '127.0.0.1',
    port: at,
    serverOptions: { ...serverOptions, ...options },
  }) as Server;
  protectServer(server);
  if (!server.listening) await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    node: server,
    port,
    url: `http://127.0.0.1:${port}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
