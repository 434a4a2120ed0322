import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

interface Pair {
  near: Socket;
  far: Socket;
  /** Stays open, and passes nothing on, whatever happens. */
  dead: boolean;
}

/** Passes connections on to a port of this machine, or does to them what networks do. */
export async function startTcpProxy(target: number) {
  const pairs = new Set<Pair>();
  let silent = false;
  let mute = false;
  let latencyMs = 0;

  const server = createServer((near) => {
    const pair: Pair = { near, far: connect(target, '127.0.0.1'), dead: false };
    pairs.add(pair);
    pass(pair, near, pair.far, () => silent);
    pass(pair, pair.far, near, () => silent || mute);
  });

  function pass(pair: Pair, from: Socket, to: Socket, isLost: () => boolean): void {
    from.on('data', (chunk) => {
      if (pair.dead || isLost()) return;
      if (latencyMs === 0) to.write(chunk);
      else setTimeout(() => to.write(chunk), latencyMs);
    });
    from.on('error', () => undefined);
    from.on('close', () => {
      pairs.delete(pair);
      if (!pair.dead) to.destroy();
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
    /** While it is silent connections stay open, and what is said on them is lost. */
    setSilent: (value: boolean) => {
      silent = value;
    },
    /** The same for what the target says: it hears, and its answers are lost. */
    muteAnswers: (value: boolean) => {
      mute = value;
    },
    /** The connections that there are stay open and are dead; new ones work. */
    abandon: () => {
      for (const pair of pairs) pair.dead = true;
    },
    /** Milliseconds that everything takes from now on, in each direction. */
    setLatency: (value: number) => {
      latencyMs = value;
    },
    /** Ends all connections without a farewell. */
    cut,
    /** Refuses connections, until `reopen` listens on the same port. */
    close,
    reopen: () => listen(port),
  };
}
