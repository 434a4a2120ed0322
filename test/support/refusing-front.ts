import { once } from 'node:events';
import { connect, createServer, type Http2Session, type IncomingHttpHeaders } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';

const GRPC = { ':status': 200, 'content-type': 'application/grpc' };

/** Stands before a gRPC server, and refuses a method with this status while it is told to, as an authorizer does. */
export async function startRefusingFront(address: string, method: string, code: number) {
  let refuses = true;
  const target = connect(`http://${address}`);
  const sessions = new Set<Http2Session>();
  const server = createServer();
  server.on('session', (session) => sessions.add(session));
  server.on('stream', (near, headers) => {
    near.on('error', () => undefined);
    if (refuses && headers[':path']?.endsWith(`/${method}`)) {
      near.respond({ ...GRPC, 'grpc-status': code, 'grpc-message': 'by the test' }, { endStream: true });
      return;
    }
    const far = target.request(headers, { endStream: false });
    let trailers: IncomingHttpHeaders = {};
    far.on('trailers', (sent: IncomingHttpHeaders) => {
      trailers = sent;
    });
    far.on('response', (answered) => {
      const endStream = answered['grpc-status'] !== undefined; // no trailers come
      near.respond(answered, { endStream, waitForTrailers: !endStream });
      near.on('wantTrailers', () => near.sendTrailers(trailers));
    });
    pipeline(near, far, () => undefined);
    pipeline(far, near, () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    relent: () => {
      refuses = false;
    },
    close: () => {
      for (const session of sessions) session.destroy();
      target.destroy();
      server.close();
    },
  };
}
