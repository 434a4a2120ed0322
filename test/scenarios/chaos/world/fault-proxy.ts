import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * What a network does to its connections:
 * `pass`: nothing; `down`: nobody listens, and what was open is reset;
 * `black-hole`: connections are taken and stay open, and what is said on them is lost for good.
 */
export type NetworkState = 'pass' | 'down' | 'black-hole';

/** Waits for bytes on the way in one direction; they, and their connection, go no further. */
export interface Trap {
  from: 'client' | 'server';
  bytes: string;
  /** Only once these have gone by from the client, on the same connection. */
  after?: string;
}

export interface FaultProxy {
  readonly port: number;
  set(state: NetworkState): Promise<void>;
  /** Milliseconds by which each chunk is late, in either direction. */
  setLatency(milliseconds: number): void;
  /** Ends all connections without a farewell. */
  reset(): void;
  /** Resolves at the moment when the trap has sprung, once. */
  trap(trap: Trap): Promise<void>;
  /** Takes away the traps that have not sprung; their promises stay open. */
  disarm(): void;
  close(): Promise<void>;
}

/** Stands between one process and one server of this machine, and breaks their connections on demand. */
export async function createFaultProxy(target: number): Promise<FaultProxy> {
  const links = new Set<Link>();
  const traps = new Set<{ trap: Trap; spring: () => void }>();
  let state: NetworkState = 'pass';
  let latencyMs = 0;

  const server = createServer((client) => {
    const link: Link = { client, server: connect(target, '127.0.0.1'), lost: state === 'black-hole', heard: new Set() };
    links.add(link);
    for (const from of ['client', 'server'] as const) carry(link, from);
  });
  const port = await listen(server, 0);
  return { port, set, setLatency: (ms) => (latencyMs = ms), reset, trap: addTrap, disarm: () => traps.clear(), close };

  function carry(link: Link, from: 'client' | 'server'): void {
    const source = link[from];
    const sink = link[from === 'client' ? 'server' : 'client'];
    let queue = Promise.resolve();
    source.on('data', (chunk) => {
      if (link.lost) return;
      if (springs(link, from, chunk)) {
        cut(link);
        return;
      }
      if (latencyMs === 0) return void queue.then(() => sink.write(chunk));
      const due = Date.now() + latencyMs;
      queue = queue.then(() => sleep(Math.max(0, due - Date.now()))).then(() => void sink.write(chunk));
    });
    source.on('error', () => undefined);
    source.on('close', () => {
      links.delete(link);
      if (!link.lost) sink.destroy();
    });
  }

  function springs(link: Link, from: 'client' | 'server', chunk: Buffer): boolean {
    for (const armed of traps) {
      const { trap } = armed;
      if (from === 'client' && trap.after !== undefined && chunk.includes(trap.after)) link.heard.add(trap.after);
      const isPrepared = trap.after === undefined || link.heard.has(trap.after);
      if (from !== trap.from || !isPrepared || !chunk.includes(trap.bytes)) continue;
      traps.delete(armed);
      armed.spring();
      return true;
    }
    return false;
  }

  function addTrap(trap: Trap): Promise<void> {
    return new Promise((spring) => traps.add({ trap, spring }));
  }

  function reset(): void {
    for (const link of links) cut(link);
  }

  async function set(next: NetworkState): Promise<void> {
    if (next === 'black-hole') for (const link of links) link.lost = true;
    if (next === 'down') {
      server.close();
      reset();
    }
    if (state === 'down' && next !== 'down') await listen(server, port);
    state = next;
  }

  async function close(): Promise<void> {
    if (server.listening) server.close();
    reset();
    if (server.listening) await once(server, 'close');
  }
}

interface Link {
  client: Socket;
  server: Socket;
  /** It was open in a black hole, and is dead although neither side knows. */
  lost: boolean;
  /** The `after` of traps that have gone by. */
  heard: Set<string>;
}

function cut({ client, server }: Link): void {
  client.resetAndDestroy();
  server.resetAndDestroy();
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
