import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

interface Pair {
  near: Socket;
  far: Socket;
  /** Only its near end is left, and does not know. */
  dead: boolean;
}

/** Passes connections on to ports of this machine, to one after the other, or does to them what networks do. */
export async function startTcpProxy(...targets: [number, ...number[]]) {
  let connections = 0;
  const pairs = new Set<Pair>();
  let silent = false;
  let mute = false;
  let held: (() => void)[] = [];
  let latencyMs = 0;
  let alter = (chunk: Buffer) => chunk;

  const server = createServer((near) => {
    const target = targets[connections % targets.length] ?? targets[0];
    connections += 1;
    const pair: Pair = { near, far: connect(target, '127.0.0.1'), dead: false };
    pairs.add(pair);
    pass(pair, near, pair.far);
    pass(pair, pair.far, near);
  });

  function pass(pair: Pair, from: Socket, to: Socket): void {
    from.on('data', (chunk) => {
      if (pair.dead || (mute && from === pair.far)) return;
      const said = from === pair.near ? alter(chunk) : chunk;
      const write = () => void to.write(said);
      if (silent) held.push(write);
      else if (latencyMs === 0) write();
      else setTimeout(write, latencyMs);
    });
    from.on('error', () => undefined);
    from.on('close', () => {
      if (pair.dead && from === pair.far) return;
      pairs.delete(pair);
      to.destroy();
    });
  }

  const cut = () => {
    for (const { near, far } of pairs) {
      near.resetAndDestroy();
      far.destroy();
    }
    pairs.clear();
  };
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const close = async () => {
    const closed = server.listening && once(server, 'close');
    server.close();
    cut();
    await closed;
  };
  const port = await listen(0);

  return {
    port,
    /** Connections that are open now. */
    get open() {
      return pairs.size;
    },
    /** While it is silent connections stay open, and nothing passes; what was said arrives afterwards, as TCP sees to. */
    setSilent: (value: boolean) => {
      silent = value;
      for (const write of held) write();
      held = [];
    },
    /** The target hears everything, and what it says is lost. */
    muteAnswers: (value: boolean) => {
      mute = value;
    },
    /** The target has lost the connections that there are, and nobody says so; new ones work. */
    abandon: () => {
      for (const pair of pairs) {
        pair.dead = true;
        pair.far.destroy();
      }
    },
    /** Milliseconds that everything takes from now on, in each direction. */
    setLatency: (value: number) => {
      latencyMs = value;
    },
    /** What is said to the target arrives as this makes it. */
    setAlteration: (value: typeof alter) => {
      alter = value;
    },
    /** Ends all connections without a farewell. */
    cut,
    /** Refuses connections, until `reopen` listens on the same port. */
    close,
    reopen: () => listen(port),
  };
}
