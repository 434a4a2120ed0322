import { once } from 'node:events';
import type { Server, ServerOptions } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { protectServer, serverOptions } from '../../src/http/server/limits.ts';
import type { TestApi } from './api.ts';

/** Serves an app on a free port as the API process does, for what only a socket shows: addresses, chunks, slow callers. */
export async function listen({ app }: Pick<TestApi, 'app'>, options: ServerOptions = {}) {
  const server = serve({
    fetch: app.fetch,
    hostname: '127.0.0.1',
    port: 0,
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
