import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** A port of this machine's own that nobody listens on, for what only this process is to reach. */
export async function loopbackPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
