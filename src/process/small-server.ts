import { createServer, type RequestListener } from 'node:http';

/**
 * Serves what only operators and their machines ask for.
 * @returns a function that closes it
 */
export async function serve(port: number, host: string, listener: RequestListener): Promise<() => Promise<void>> {
  const server = createServer(listener);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
}
