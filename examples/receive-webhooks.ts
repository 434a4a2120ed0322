import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';

// A receiver of webhooks: `WEBHOOK_SECRET=whsec_… npx tsx examples/receive-webhooks.ts`. It verifies who has sent a
// message, drops what it has had, and answers before it does anything else: who answers late gets the message again.

const webhook = new Webhook(process.env['WEBHOOK_SECRET'] ?? '');
const port = Number(process.env['PORT'] ?? 4000);

interface Message {
  type: string;
  timestamp: string;
  data: { id: string; leadId: string | null; data: Record<string, unknown> };
}

/** In your system a table with the id as its key, written in the transaction that does the work. */
const seen = new Set<string>();

const server = createServer((request, response) => {
  void text(request).then((body) => {
    let message: Message;
    try {
      // The raw body is what was signed. This also refuses what was signed over five minutes ago.
      message = webhook.verify(body, request.headers as Record<string, string>) as Message;
    } catch {
      response.writeHead(401).end();
      return;
    }
    response.writeHead(204).end();
    const id = String(request.headers['webhook-id']);
    if (seen.has(id)) return;
    seen.add(id);
    console.log(`${message.timestamp} ${message.type} ${message.data.leadId ?? ''}`);
  });
});

server.listen(port, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${port}`));
