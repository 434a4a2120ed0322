import { once } from 'node:events';
import type { Server, ServerResponse } from 'node:http';
import { Server as TcpServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createAdaptorServer } from '@hono/node-server';
import { protectServer, serverOptions } from './limits.ts';

type Fetch = Parameters<typeof createAdaptorServer>[0]['fetch'];

/** A caller may be sending on an open connection at the very moment when we stop; its request is answered as well. */
const LINGER_MS = 1_500;

/**
 * Serves an app.
 * @param setting the variable that has the port
 * @returns a function that ends it: no new connections; every request on an open one is answered, and closes it.
 * @throws Error that says which setting to change
 */
export async function listen(
  fetch: Fetch,
  address: { host: string; port: number },
  setting = 'PORT',
): Promise<() => Promise<void>> {
  const server = createAdaptorServer({ fetch, serverOptions }) as Server;
  protectServer(server);
  const drain = drainOf(server);
  server.listen(address);
  await once(server, 'listening').catch((err: unknown) => {
    throw explain(err as NodeJS.ErrnoException, address, setting);
  });
  return drain;
}

function drainOf(server: Server): () => Promise<void> {
  const answering = new Set<ServerResponse>();
  let draining = false;
  server.prependListener('request', (_request, response: ServerResponse) => {
    if (draining) response.shouldKeepAlive = false;
    answering.add(response);
    response.once('close', () => answering.delete(response));
  });
  return async () => {
    draining = true;
    for (const response of answering) response.shouldKeepAlive = false;
    const closed = once(server, 'close');
    TcpServer.prototype.close.call(server); // an HTTP server's own close cuts connections that seem idle
    await Promise.race([closed, sleep(LINGER_MS)]);
    await Promise.all(Array.from(answering, (response) => once(response, 'close')));
    server.closeAllConnections();
    await closed;
  };
}

function explain(
  { code, name }: NodeJS.ErrnoException,
  { host, port }: { host: string; port: number },
  setting: string,
): Error {
  if (code === 'EADDRINUSE') return new Error(`Port ${port} of ${host} is taken: set ${setting} to a free one.`);
  return new Error(`Cannot listen on ${host}:${port} (${code ?? name}): correct HOST and ${setting}.`);
}
