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

/** Makes the headers of a message: its id stays the same however often it is sent, time and signatures are of now. */
export type Sign = (id: string, body: string) => Record<string, string>;

/** Signs for an endpoint as its secrets are now. */
export function createSigner({ secret, oldSecret, oldSecretUntil }: Secrets): Sign {
  const both = oldSecret !== null && oldSecretUntil !== null && oldSecretUntil > new Date();
  const signers = (both ? [secret, oldSecret] : [secret]).map((each) => new Webhook(each));
  return (id, body) => {
    const now = new Date();
    return {
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(now.getTime() / 1_000)),
      'webhook-signature': signers.map((signer) => signer.sign(id, now, body)).join(' '),
    };
  };
}
