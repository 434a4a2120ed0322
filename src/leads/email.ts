import { domainToASCII } from 'node:url';

const MAX_EMAIL = 254;
const MAX_LOCAL_BYTES = 64;
const MAX_DOMAIN = 253;

/** Control, format and half-surrogate characters and every kind of space: two addresses that look alike must be alike. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Z}]/u;
const LOCAL_PART = /^[^\s"(),:;<>@[\\\].]+(?:\.[^\s"(),:;<>@[\\\].]+)*$/u;
/** `domainToASCII` reads its argument as part of a URL: it would decode `%41` and cut at `/`. */
const DOMAIN = /^[a-z0-9.\-\u{80}-\u{10ffff}]+$/iu;
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** A last label of digits only would make the domain an IP address. */
const TOP_LEVEL = /[a-z]/;

/**
 * The form in which addresses are compared: trimmed, lower-cased whole, the domain in punycode. Dots and `+tags` stay:
 * only the receiving host knows what they mean there. Text that is not an address is trimmed and lower-cased.
 */
export function emailKey(typed: string): string {
  const text = typed.trim().toLowerCase().normalize('NFC');
  const at = text.lastIndexOf('@');
  return text.slice(0, at + 1) + (asciiDomain(text.slice(at + 1)) || text.slice(at + 1));
}

/**
 * Says whether the text has the shape of an address: `local@domain.tld` of at most 254 characters, in any script
 * (RFC 5321 and 6531, without quoted local parts and IP literals). It is judged as it is: trim it first.
 */
export function isEmail(text: string): boolean {
  const at = text.lastIndexOf('@');
  if (at < 1 || text.length > MAX_EMAIL || INVISIBLE.test(text)) return false;
  const local = text.slice(0, at);
  const labels = asciiDomain(text.slice(at + 1)).split('.');
  return (
    LOCAL_PART.test(local) &&
    Buffer.byteLength(local) <= MAX_LOCAL_BYTES &&
    labels.length > 1 &&
    labels.join('.').length <= MAX_DOMAIN &&
    labels.every((label) => LABEL.test(label)) &&
    TOP_LEVEL.test(labels.at(-1) ?? '')
  );
}

const asciiDomain = (domain: string) => (DOMAIN.test(domain) ? domainToASCII(domain) : '');
