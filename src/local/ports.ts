import { once } from 'node:events';
import { createServer } from 'node:net';
import { StartError } from './start-error.ts';

export const LOOPBACK = '127.0.0.1';

/** A port that one variable moves. */
export interface PortChoice {
  variable: string;
  host: string;
  port: number;
}

/** How to reach a server that listens on this address. */
export function urlOf(host: string, port: number): string {
  if (host === '0.0.0.0') return urlOf(LOOPBACK, port);
  if (host === '::') return urlOf('::1', port);
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** A TCP port that nobody listens on. */
export async function freePort(host = LOOPBACK): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('A TCP server without a port');
  return address.port;
}

/**
 * Makes sure that every port can be listened on.
 * @throws StartError naming each one that cannot, and the variable that moves it
 */
export async function assertPortsFree(choices: PortChoice[]): Promise<void> {
  const faults = await Promise.all(choices.map(describeFault));
  const found = faults.filter((fault) => fault !== undefined);
  if (found.length > 0) throw new StartError(found.join('\n'));
}

async function describeFault({ variable, host, port }: PortChoice): Promise<string | undefined> {
  const server = createServer().listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    if (code === 'EADDRINUSE')
      return `Port ${port} is taken: stop what listens there, or set ${variable} to another port`;
    if (code === 'EACCES') return `Port ${port} is reserved for root: set ${variable} to one above 1023`;
    return `Cannot listen on ${host}:${port} (${code}): set HOST to an address of this machine`;
  }
  server.close();
  await once(server, 'close');
  return undefined;
}
