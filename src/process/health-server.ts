import { serve } from './small-server.ts';

export interface Health {
  /** Undefined when the process does its work; else why not. */
  problem: string | undefined;
  /** More that an operator wants to know; part of the answer. */
  details?: Record<string, unknown>;
}

/**
 * Serves `/healthz` (the process lives) and `/readyz` (it does its work) for a relay or worker.
 * @returns a function that closes it.
 */
export function serveHealth(port: number, host: string, look: () => Health): Promise<() => Promise<void>> {
  return serve(port, host, (request, response) => {
    const path = request.url?.split('?')[0];
    if (path !== '/healthz' && path !== '/readyz') return void response.writeHead(404).end();
    const { problem, details }: Health = path === '/readyz' ? look() : { problem: undefined };
    const status = problem === undefined ? { status: 'ok' } : { status: 'unavailable', reason: problem };
    response.writeHead(problem === undefined ? 200 : 503, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ ...status, ...details }));
  });
}
