import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { onTestFinished } from 'vitest';

/** How a receiver answers; `hang` never does. A number of milliseconds is the time until it does. */
export type Answer = { status: number; headers?: Record<string, string> } | 'hang';

/** What one receiver has had. */
export interface Received {
  /** Of each message when it came first, in milliseconds, and the bytes of its body. */
  messages: Map<string, { at: number; body: string }>;
  /** In the order in which they came first. */
  order: string[];
  repeats: number;
  /** Repeats whose bytes were others, and what nobody has signed. */
  faults: string[];
}

/** Of so many messages the signature of one is looked at: it costs as much as all the rest of a receiver. */
const CHECKED = 10;

/** Many receivers on one port, each at a path of its own; it can be closed, and opened again. They end with the test. */
export async function startReceivers(answerOf: (name: string, count: number) => Answer) {
  const secrets = new Map<string, Webhook>();
  const received = new Map<string, Received>();
  const of = (name: string): Received => {
    const known = received.get(name) ?? { messages: new Map(), order: [], repeats: 0, faults: [] };
    received.set(name, known);
    return known;
  };
  const counts = new Map<string, number>();

  function receive(request: IncomingMessage, response: ServerResponse): void {
    const name = request.url?.slice(1) ?? '';
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      const count = (counts.get(name) ?? 0) + 1;
      counts.set(name, count);
      const answer = answerOf(name, count);
      if (answer === 'hang') return;
      if (answer.status < 300) take(name, request.headers as Record<string, string>, body);
      response.writeHead(answer.status, answer.headers).end();
    });
  }

  function take(name: string, headers: Record<string, string>, body: string): void {
    const { messages, order, faults } = of(name);
    try {
      if (messages.size % CHECKED === 0) secrets.get(name)?.verify(body, headers);
    } catch (err) {
      faults.push(String(err));
    }
    const id = headers['webhook-id'] ?? '';
    const known = messages.get(id);
    if (!known) {
      messages.set(id, { at: Date.now(), body });
      order.push(id);
    } else {
      of(name).repeats += 1;
      if (known.body !== body) faults.push(`${id} came with other bytes`);
    }
  }

  const server = createServer(receive);
  let connections = 0;
  server.on('connection', () => (connections += 1));
  const open = async (port: number) => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  await open(0);
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    if (!server.listening) return;
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  onTestFinished(close);
  return {
    port,
    of,
    urlOf: (name: string) => `http://127.0.0.1:${port}/${name}`,
    trust: (name: string, secret: string) => void secrets.set(name, new Webhook(secret)),
    connections: () => connections,
    close,
    open: () => open(port),
  };
}
