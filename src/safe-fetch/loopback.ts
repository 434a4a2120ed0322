import ipaddr from 'ipaddr.js';

/** Says whether only this machine reaches an address. */
export const isLoopback = (host: string) =>
  ipaddr.isValid(host) ? ipaddr.process(host).range() === 'loopback' : host === 'localhost';

/** Says the same of a host name of a URL, which has an IPv6 address in brackets. */
export const isLoopbackName = (hostname: string) =>
  hostname.endsWith('.localhost') || isLoopback(hostname.replace(/^\[(.*)\]$/, '$1'));
