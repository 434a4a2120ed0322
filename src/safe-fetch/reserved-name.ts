import { isIP } from 'node:net';
import { parse } from 'tldts';

/** RFC 2606, 6761, 6762, 7686, 8375, 9476; the last are what private networks are known to use. */
const RESERVED = new Set(
  'alt arpa example internal invalid local localhost onion test corp home intranet lan localdomain private'.split(' '),
);

/**
 * Says whether a host name (lower case, punycode) can be no stranger's: a name without a dot, one below a name that is
 * reserved, or `example.com` and its likes under any suffix. Such names are never looked up. An IP address is no name.
 */
export function isReservedName(host: string): boolean {
  if (isIP(host) !== 0) return false;
  const name = host.replace(/\.$/, '');
  const top = name.slice(name.lastIndexOf('.') + 1);
  const { domainWithoutSuffix } = parse(name, { allowPrivateDomains: true });
  return !name.includes('.') || RESERVED.has(top) || domainWithoutSuffix === 'example';
}
