import { type Server, type ServerOptions, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { uuidv7 } from 'uuidv7';
import { Problem, PROBLEM_TYPE } from '../answers/problem.ts';

/** How long a caller may take, and how much it may say before the app sees it. For `createServer`. */
export const serverOptions = {
  maxHeaderSize: 16 * 1024, // with the URL
  headersTimeout: 10_000,
  requestTimeout: 30_000, // head and body: 1 MiB over a poor line takes less
  connectionsCheckingInterval: 1_000, // how late the two above may be noticed
  keepAliveTimeout: 65_000, // longer than load balancers keep an unused connection, so that they never use a closed one
} satisfies ServerOptions;

/** Some 100 MB; what comes past it is closed at once. */
const MAX_CONNECTIONS = 5_000;
/** A caller that reads nothing of its answer. A stream says something more often than that. */
const SILENCE_MS = 120_000;

/** Limits connections, and lets what is refused below the app be answered like everything else. */
export function protectServer(server: Server): void {
  const answers = new WeakMap<Duplex, ServerResponse>();
  server.maxConnections = MAX_CONNECTIONS;
  server.setTimeout(SILENCE_MS);
  server.prependListener('request', ({ socket }, answer: ServerResponse) => answers.set(socket, answer));
  server.on('clientError', (err: NodeJS.ErrnoException, socket) => {
    const answer = answers.get(socket);
    const isAnswering = answer?.headersSent === true && !answer.writableFinished;
    if (err.code === 'ECONNRESET' || !socket.writable || isAnswering) socket.destroy();
    else refuse(socket, toProblem(err));
  });
}

function toProblem({ code }: NodeJS.ErrnoException): Problem {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new Problem(408, 'request-timeout', 'Send the whole request within 30 s, its headers within 10 s.');
  if (code === 'HPE_HEADER_OVERFLOW')
    return new Problem(431, 'headers-too-large', 'Send at most 16 KiB of URL and headers.');
  return new Problem(400, 'malformed-request', 'Send a request as HTTP/1.1 has it.');
}

function refuse(socket: Duplex, problem: Problem): void {
  const requestId = uuidv7();
  const body = problem.toDocument(requestId);
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`,
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-store',
    'connection: close',
    'x-content-type-options: nosniff',
    `x-request-id: ${requestId}`,
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}
