import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const TIME_BYTES = 6;
const NONCE_BYTES = 10;
const SIGNED_BYTES = TIME_BYTES + NONCE_BYTES;
const SIGNATURE_BYTES = 16;

export interface FormToken {
  token: string;
  usableFrom: Date;
  expiresAt: Date;
}

/** Why a token is not accepted. */
export type TokenRefusal = 'unknown' | 'too-young' | 'expired';

export interface FormTokens {
  /** Makes a token for one submission of a form that is being shown. */
  issue(): Promise<FormToken>;
  /** Undefined when the token is ours and of an age that it may have. That it is used once is for the intake to see. */
  check(token: string): Promise<TokenRefusal | undefined>;
}

export interface FormTokenSettings {
  /** @throws pg errors when it cannot be read */
  readSecret: () => Promise<Buffer>;
  /** Milliseconds that a person needs for a form, at the very least. */
  minAgeMs: number;
  maxAgeMs: number;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/** Tokens say when a form was shown: time, nonce and an HMAC-SHA-256 of both, cut to 128 bits. Nothing of them is stored. */
export function createFormTokens(settings: FormTokenSettings): FormTokens {
  const { readSecret, minAgeMs, maxAgeMs, now = Date.now } = settings;
  return {
    async issue() {
      const issuedAt = now();
      const signed = Buffer.alloc(SIGNED_BYTES);
      signed.writeUIntBE(issuedAt, 0, TIME_BYTES);
      randomBytes(NONCE_BYTES).copy(signed, TIME_BYTES);
      const token = Buffer.concat([signed, sign(await readSecret(), signed)]).toString('base64url');
      return { token, usableFrom: new Date(issuedAt + minAgeMs), expiresAt: new Date(issuedAt + maxAgeMs) };
    },
    async check(token) {
      const bytes = Buffer.from(token, 'base64url');
      const isOneOfItsSpellings = bytes.toString('base64url') !== token; // one token must not pass for several
      if (isOneOfItsSpellings || bytes.length !== SIGNED_BYTES + SIGNATURE_BYTES) return 'unknown';
      const signed = bytes.subarray(0, SIGNED_BYTES);
      if (!timingSafeEqual(sign(await readSecret(), signed), bytes.subarray(SIGNED_BYTES))) return 'unknown';
      const age = now() - signed.readUIntBE(0, TIME_BYTES);
      if (age < minAgeMs) return 'too-young';
      return age > maxAgeMs ? 'expired' : undefined;
    },
  };
}

const sign = (secret: Buffer, signed: Buffer) =>
  createHmac('sha256', secret).update(signed).digest().subarray(0, SIGNATURE_BYTES);
