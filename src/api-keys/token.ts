import { createHash, randomBytes } from 'node:crypto';

/** As hard to guess as the hash is to reverse: a slow hash, as for passwords, would add nothing. */
const SECRET_BYTES = 32;
const TOKEN = /^(lok|lop|lst)_([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})_([\w-]{43})$/;

/** What a token is of: a key of an organization, one of an operator, or one stream. */
export type TokenKind = 'lok' | 'lop' | 'lst';

/** What a caller presents, taken apart. */
export interface PresentedToken {
  /** Of the key that it claims to be. */
  id: string;
  /** SHA-256 of the secret that it brings. */
  secretHash: Uint8Array<ArrayBuffer>;
}

/** Makes the token of a key, `lok_<id>_<secret>`. It goes to the caller once; only the hash is kept. */
export function makeToken(id: string, kind: TokenKind = 'lok'): { token: string; secretHash: Uint8Array<ArrayBuffer> } {
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  return { token: `${kind}_${id}_${secret}`, secretHash: hashSecret(secret) };
}

/** @returns undefined when the text cannot be a token of that kind. */
export function parseToken(token: string, kind: TokenKind = 'lok'): PresentedToken | undefined {
  const [, prefix, id, secret] = TOKEN.exec(token) ?? [];
  return prefix !== kind || id === undefined || secret === undefined
    ? undefined
    : { id, secretHash: hashSecret(secret) };
}

const hashSecret = (secret: string) => new Uint8Array(createHash('sha256').update(secret).digest());
