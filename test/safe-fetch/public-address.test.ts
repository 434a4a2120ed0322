import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPublicAddress } from '../../src/safe-fetch/public-address.ts';

describe('an address is not public when it is', () => {
  it.each([
    ['loopback', '127.0.0.1'],
    ['loopback of another kind', '127.255.255.254'],
    ['this host', '0.0.0.0'],
    ['private', '10.0.0.1'],
    ['private', '172.31.255.255'],
    ['private', '192.168.1.1'],
    ['carrier-grade NAT, and a metadata service', '100.100.100.200'],
    ['link-local, and the metadata service', '169.254.169.254'],
    ['the metadata service of Azure', '168.63.129.16'],
    ['the metadata service of Oracle', '192.0.0.192'],
    ['a benchmark network', '198.18.0.1'],
    ['documentation', '203.0.113.1'],
    ['multicast', '224.0.0.1'],
    ['reserved', '240.0.0.1'],
    ['broadcast', '255.255.255.255'],
    ['IPv6 loopback', '::1'],
    ['IPv6 unspecified', '::'],
    ['IPv6 unique local, and a metadata service', 'fd00:ec2::254'],
    ['IPv6 link-local', 'fe80::1'],
    ['IPv6 link-local with a zone', 'fe80::1%eth0'],
    ['IPv6 site-local', 'fec0::1'],
    ['IPv6 multicast', 'ff02::1'],
    ['IPv6 documentation', '2001:db8::1'],
    ['IPv4 mapped', '::ffff:127.0.0.1'],
    ['IPv4 mapped, in hexadecimal', '::ffff:a9fe:a9fe'],
    ['IPv4 compatible', '::7f00:1'],
    ['NAT64', '64:ff9b::7f00:1'],
    ['local NAT64', '64:ff9b:1::808:808'],
    ['6to4', '2002:7f00:1::'],
    ['Teredo', '2001:0:7f00:1::1'],
    ['a name', 'localhost'],
    ['short', '127.1'],
    ['decimal', '2130706433'],
    ['hexadecimal', '0x7f000001'],
    ['octal', '0177.0.0.1'],
    ['nothing', ''],
  ])('%s (%s)', (_what, address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
});

it.each(['8.8.8.8', '1.1.1.1', '2606:4700::1111', '2a00:1450:4001::1', '::ffff:8.8.8.8', '64:ff9b::808:808'])(
  '%s is public',
  (address) => {
    expect(isPublicAddress(address)).toBe(true);
  },
);

it('the forms of IPv6 that an IPv4 address has are public when it is, or never', () => {
  const octets = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255));
  fc.assert(
    fc.property(octets, ([a, b, c, d]) => {
      const v4 = `${a}.${b}.${c}.${d}`;
      const hex = `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
      const isPublic = isPublicAddress(v4);
      for (const same of [`::ffff:${v4}`, `::ffff:${hex}`, `64:ff9b::${hex}`])
        expect(isPublicAddress(same)).toBe(isPublic);
      for (const never of [`::${v4}`, `2002:${hex}::`, `64:ff9b:1::${hex}`, `2001:0:${hex}::1`]) {
        expect(isPublicAddress(never)).toBe(false);
      }
    }),
    { numRuns: 2_000 },
  );
});
