import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { z } from 'zod';

/** Longer than a shift. */
export const SESSION_HOURS = 12;

const IV_BYTES = 12;
const TAG_BYTES = 16;

const sessionSchema = z.object({ key: z.string(), actor: z.string().optional(), until: z.number() });

/** Who has signed in. */
export interface Session {
  /** An operator's. */
  key: string;
  /** A name, for the audit. */
  actor?: string | undefined;
}

/** Sessions that are kept in their browsers alone. */
export interface Sessions {
  /** @returns what a cookie holds: nobody but this process can read it */
  seal(session: Session): string;
  /** @returns undefined for what this process has not sealed, or too long ago */
  open(sealed: string): Session | undefined;
}

/** Sealed by AES-256-GCM with a key that ends with the process: who holds a copy of a cookie does not hold the operator's key. */
export function createSessions(now = Date.now): Sessions {
  const secret = randomBytes(32);
  return {
    seal({ key, actor }) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', secret, iv);
      const text = JSON.stringify({ key, actor, until: now() + SESSION_HOURS * 3_600_000 });
      const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url');
    },
    open(text) {
      const bytes = Buffer.from(text, 'base64url');
      const [iv, tag] = [bytes.subarray(0, IV_BYTES), bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES)];
      if (tag.length < TAG_BYTES) return undefined;
      try {
        const decipher = createDecipheriv('aes-256-gcm', secret, iv).setAuthTag(tag);
        const opened = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
        const { until, ...session } = sessionSchema.parse(JSON.parse(opened.toString('utf8')));
        return now() < until ? session : undefined;
      } catch {
        return undefined; // another process has sealed it, or somebody has changed it
      }
    },
  };
}
