/** How to reach, on this machine, a server that listens on this address. */
export function urlOf(host: string, port: number): string {
  if (host === '0.0.0.0') return urlOf('127.0.0.1', port);
  if (host === '::') return urlOf('::1', port);
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
