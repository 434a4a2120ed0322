import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

const SECRET = `whsec_${Buffer.from('a secret of the chaos suite only').toString('base64')}`;

/** The world outside: receives the notifications that the service delivers, and counts them by their id. */
export interface DeliverySink {
  readonly url: string;
  readonly secret: string;
  /** How often each notification came, by its id. */
  readonly deliveries: ReadonlyMap<string, number>;
  /** Calls that were not signed by the service. */
  readonly forged: number;
  /** Runs once a delivery of this organization is counted, before it is answered; only the next one. */
  onNextDelivery(organizationId: string, act: () => void): void;
  close(): Promise<void>;
}

export async function createDeliverySink(): Promise<DeliverySink> {
  const webhook = new Webhook(SECRET);
  const deliveries = new Map<string, number>();
  const ambushes = new Map<string, () => void>();
  let forged = 0;

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const id = String(request.headers['webhook-id']);
      try {
        const { data } = webhook.verify(
          Buffer.concat(chunks).toString('utf8'),
          request.headers as Record<string, string>,
        ) as { data: { organizationId: string } };
        deliveries.set(id, (deliveries.get(id) ?? 0) + 1);
        ambushes.get(data.organizationId)?.();
        ambushes.delete(data.organizationId);
      } catch {
        forged += 1;
      }
      response.writeHead(204).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/notifications`,
    secret: SECRET,
    deliveries,
    get forged() {
      return forged;
    },
    onNextDelivery: (organizationId, act) => void ambushes.set(organizationId, act),
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
