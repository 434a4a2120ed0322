import { isIP } from 'node:net';

/** Says whether a host and port may be reached whatever its address is: hosts of tests. */
export type AllowedHosts = (host: string, port: number) => boolean;

const NAME = /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/;

/**
 * Reads `ENRICHMENT_ALLOW_HOSTS`: `name`, which opens all ports, or `name:port`. A name is a host name or an IP address as
 * it stands in a URL, IPv6 in brackets; it opens itself only, neither its subdomains nor other names of the same address.
 * @throws Error naming the entry that is none
 */
export function allowHosts(entries: readonly string[]): AllowedHosts {
  const open = new Set(entries.map(toKey));
  return (host, port) => open.has(host.toLowerCase()) || open.has(`${host.toLowerCase()}:${port}`);
}

function toKey(entry: string): string {
  const text = entry.toLowerCase();
  const [, host = '', port] = /^(\[[0-9a-f:.]+\]|[^:]+)(?::(\d{1,5}))?$/.exec(text) ?? [];
  const isHost = host.startsWith('[') ? isIP(host.slice(1, -1)) === 6 : NAME.test(host);
  if (!isHost || Number(port ?? 1) < 1 || Number(port ?? 1) > 65_535) {
    throw new Error(`takes host names or IP addresses, each alone or with :port, IPv6 in brackets; not ${entry}`);
  }
  return text;
}
