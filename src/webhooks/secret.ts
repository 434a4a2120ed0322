import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';

/** A secret as https://www.standardwebhooks.com has it: 32 bytes in Base64, after `whsec_`. */
export const newSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`;

/** What signs for an endpoint now: its secret, and for a while the one before. */
export interface Secrets {
  secret: string;
  oldSecret: string | null;
  oldSecretUntil: Date | null;
}

/** The headers of a message: its id stays the same however often it is sent, time and signatures are of now. */
export function sign({ secret, oldSecret, oldSecretUntil }: Secrets, id: string, body: string): Record<string, string> {
  const now = new Date();
  const secrets =
    oldSecret !== null && oldSecretUntil !== null && oldSecretUntil > now ? [secret, oldSecret] : [secret];
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(now.getTime() / 1_000)),
    'webhook-signature': secrets.map((one) => new Webhook(one).sign(id, now, body)).join(' '),
  };
}
