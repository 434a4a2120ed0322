import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * Passes connections on to ports of this machine, to one after the other. While it is silent they stay open, and what
 * is said is lost.
 */
export async function startTcpProxy(...targets: [number, ...number[]]) {
  let connections = 0;
  const sockets = new Set<Socket>();
  let silent = false;
  const server = createServer((socket) => {
    const onward = connect(targets[connections % targets.length] ?? targets[0], '127.0.0.1');
    connections += 1;
    for (const [from, to] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      sockets.add(from);
      from.on('data', (chunk) => {
        if (!silent) to.write(chunk);
      });
      from.on('error', () => undefined);
      from.on('close', () => to.destroy());
    }
  });
  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy();
    sockets.clear();
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    setSilent: (value: boolean) => {
      silent = value;
    },
    /** Ends all connections without a farewell. */
    cut,
    async close() {
      server.close();
      cut();
      await once(server, 'close');
    },
  };
}
