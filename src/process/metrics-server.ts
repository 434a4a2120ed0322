import type { Logger } from '../telemetry/logger.ts';
import { serve } from './small-server.ts';

/** What is answered to one request. */
export interface Page {
  status: number;
  contentType: string;
  text: string;
}

/** A path, or the beginning of one that ends in `/`, and what is there; it gets the rest of the path. */
export type Pages = Record<string, (rest: string) => Promise<Page>>;

/** A page of one JSON value. */
export const jsonPage = ({ status, body }: { status: number; body: unknown }): Page => ({
  status,
  contentType: 'application/json',
  text: JSON.stringify(body),
});

/**
 * Serves what monitoring and autoscalers read, on a port of its own.
 * @returns a function that closes it
 */
export function serveMetrics(
  { port, host, log }: { port: number; host: string; log: Logger },
  pages: Pages,
): Promise<() => Promise<void>> {
  return serve(port, host, (request, response) => {
    const path = request.url?.split('?')[0] ?? '';
    const [name, page] = Object.entries(pages).find(([known]) => isAt(known, path)) ?? [];
    if (name === undefined || page === undefined) return void response.writeHead(404).end();
    void page(path.slice(name.length)).then(
      ({ status, contentType, text }) => response.writeHead(status, { 'content-type': contentType }).end(text),
      (err: unknown) => {
        log.error({ err, page: name }, 'no metrics');
        response.writeHead(500).end();
      },
    );
  });
}

const isAt = (known: string, path: string) => (known.endsWith('/') ? path.startsWith(known) : path === known);
