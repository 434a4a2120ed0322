import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { makeCertificate } from './certificate.ts';

export interface Site {
  port: number;
  /** Paths asked for, in order. */
  asked: string[];
  /** When each request came, in milliseconds. */
  at: number[];
  requests: IncomingMessage[];
  /** Connections made, with or without a request. */
  connections(): number;
  /** Certificate authority of an https site. */
  ca: string | undefined;
}

/** Somebody else's web site, on a port of this machine; with names, one that speaks https. It ends with the test. */
export async function startSite(listener: RequestListener, names?: readonly string[]): Promise<Site> {
  const certificate = names && (await makeCertificate(names));
  const server = certificate ? createSecureServer(certificate) : createServer();
  const site = { asked: [] as string[], at: [] as number[], requests: [] as IncomingMessage[] };
  let connections = 0;
  server.on('connection', () => (connections += 1));
  server.on('request', (request, response) => {
    site.asked.push(request.url ?? '');
    site.at.push(Date.now());
    site.requests.push(request);
    response.on('error', () => undefined);
    listener(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });
  const { port } = server.address() as AddressInfo;
  return { ...site, port, connections: () => connections, ca: certificate?.cert };
}
