import { randomInt } from 'node:crypto';
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

/** Below what systems hand out to outgoing connections, which could take the port before its server does. */
const FREE_PORTS = { from: 15_000, to: 32_000 };

/** A TCP port that nobody listens on. */
export async function freePort(host = LOOPBACK): Promise<number> {
  for (;;) {
    const port = randomInt(FREE_PORTS.from, FREE_PORTS.to);
    const fault = await tryToListen(host, port);
    if (fault === undefined) return port;
    if (fault.code !== 'EADDRINUSE') throw fault;
  }
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
  const fault = await tryToListen(host, port);
  if (fault === undefined) return undefined;
  if (fault.code === 'EADDRINUSE')
    return `Port ${port} is taken: stop what listens there, or set ${variable} to another port`;
  if (fault.code === 'EACCES') return `Port ${port} is reserved for root: set ${variable} to one above 1023`;
  return `Cannot listen on ${host}:${port} (${fault.code ?? 'unknown error'}): set HOST to an address of this machine`;
}

/** @returns what is in the way of listening there */
async function tryToListen(host: string, port: number): Promise<NodeJS.ErrnoException | undefined> {
  const server = createServer().listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
  server.close();
  await once(server, 'close');
  return undefined;
}
