import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Azure's metadata and DNS service: the one of the large clouds that has an address in public space. */
const METADATA = new Set(['168.63.129.16']);
/** IPv6 as the Internet routes it, RFC 4291: transition forms and old kinds of private addresses are outside. */
const GLOBAL_IPV6 = ipaddr.parseCIDR('2000::/3') as [ipaddr.IPv6, number];
/** Where networks without IPv4 map all of it, RFC 6052: `64:ff9b::8.8.8.8`. */
const NAT64 = ipaddr.parseCIDR('64:ff9b::/96') as [ipaddr.IPv6, number];

/**
 * Says whether an IP address is a host on the public Internet, and not loopback, private, link-local, a cloud's
 * metadata, reserved, multicast, or one of those in the clothes of IPv6 (mapped, NAT64; 6to4 and Teredo are refused).
 * @param address as `net.isIP` knows it; anything else, such as `127.1` or `0x7f000001`, is not public
 */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 0 || address.includes('%')) return false;
  const parsed = ipaddr.process(inHexadecimal(address)); // an IPv4 address that is mapped into IPv6 comes out as itself
  if (parsed instanceof ipaddr.IPv4) return parsed.range() === 'unicast' && !METADATA.has(parsed.toString());
  if (parsed.match(NAT64)) return isPublicAddress(new ipaddr.IPv4(parsed.toByteArray().slice(12)).toString());
  return parsed.match(GLOBAL_IPV6) && parsed.range() === 'unicast';
}

/** As URLs spell IPv6: ipaddr.js takes `::8.8.8.8`, which is another address, for the mapped `::ffff:8.8.8.8`. */
const inHexadecimal = (address: string) =>
  isIP(address) === 6 ? new URL(`http://[${address}]/`).hostname.slice(1, -1) : address;
