import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';
import { onTestFinished } from 'vitest';

/** What a receiver does once it has read a request: answer, keep silent, or close the connection. */
export type Reaction = { status: number; headers?: Record<string, string>; body?: string } | 'hang' | 'cut';
/** What comes first, and then the reaction. */
type SlowReaction = () => Promise<Reaction>;
/** Depends on what it is told. */
type Choice = (event: Receipt['event']) => Reaction;

/** A request whose signature is right. */
export interface Receipt {
  id: string;
  /** When it was sent by its own account, in seconds. */
  timestamp: number;
  /** When it came, in milliseconds. */
  receivedAt: number;
  event: { type: string; timestamp: string; data: Record<string, unknown> };
}

/** Another company's server that takes our notifications, with its address and secret. It ends with the test. */
export async function startWebhookReceiver() {
  const secret = `whsec_${randomBytes(32).toString('base64')}`;
  const verifiers = [new Webhook(secret)];
  const received: Receipt[] = [];
  const reactions: (Reaction | SlowReaction)[] = [];
  let usual: Choice = () => ({ status: 204 });

  /** @throws when no secret that is trusted has signed it */
  function verify(body: string, headers: Record<string, string>): Receipt['event'] {
    const verified = verifiers.flatMap((verifier) => {
      try {
        return [verifier.verify(body, headers) as Receipt['event']];
      } catch {
        return [];
      }
    });
    if (!verified[0]) throw new Error('signed by nobody we know');
    return verified[0];
  }

  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const headers = request.headers as Record<string, string>;
    let reaction: Reaction = { status: 401 };
    try {
      const event = verify(body, headers);
      const id = headers['webhook-id'] ?? '';
      received.push({ id, timestamp: Number(headers['webhook-timestamp']), receivedAt: Date.now(), event });
      const next = reactions.shift() ?? usual(event);
      reaction = typeof next === 'function' ? await next() : next;
    } catch {
      // A stranger's request: 401, and it does not count.
    }
    if (reaction === 'cut') request.socket.resetAndDestroy();
    else if (reaction !== 'hang') response.writeHead(reaction.status, reaction.headers).end(reaction.body);
  }

  const server = createServer((request, response) => void receive(request, response).catch(() => undefined));
  let connections = 0;
  server.on('connection', () => (connections += 1));
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  const goDown = async () => {
    if (!server.listening) return;
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  await listen(0);
  const { port } = server.address() as AddressInfo;
  onTestFinished(goDown);
  const url = `http://127.0.0.1:${port}/notifications`;
  return {
    url,
    secret,
    received,
    /** Believes what another secret has signed as well. */
    trust: (another: string) => void verifiers.push(new Webhook(another)),
    /** How often somebody has connected. */
    connections: () => connections,
    webhook: { url, secret },
    /** Reacts so to the next requests, one after the other. */
    reactOnce: (...next: (Reaction | SlowReaction)[]) => void reactions.push(...next),
    reactAlways: (reaction: Reaction | Choice) =>
      void (usual = typeof reaction === 'function' ? reaction : () => reaction),
    goDown,
    comeBack: () => listen(port),
  };
}
