import { once } from 'node:events';
import type { ServerOptions } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished } from 'vitest';
import { serverOptions } from '../../src/http/server/limits.ts';
import { newLead, testWithoutStarts as test, type TestApi } from '../support/api.ts';
import { expectProblem } from '../support/problem.ts';
import { countRows } from '../support/rows.ts';
import { listen } from '../support/server.ts';

/** The same limits in a tenth of the time. */
const QUICK: ServerOptions = { headersTimeout: 1_000, requestTimeout: 3_000, connectionsCheckingInterval: 100 };

async function serve(api: TestApi, options: ServerOptions = {}) {
  const server = await listen(api, options);
  onTestFinished(() => server.close());
  return server;
}

/** Reads all that the server says until it ends the connection. */
async function readAll(socket: Socket) {
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  socket.on('error', () => undefined);
  await once(socket, 'close');
  const [head = '', body = ''] = text.split('\r\n\r\n');
  const [statusLine = '', ...lines] = head.split('\r\n');
  const headers = new Headers(lines.map((line) => line.split(': ') as [string, string]));
  const isProblem = headers.get('content-type') === 'application/problem+json';
  const answer = {
    status: Number(statusLine.split(' ')[1]),
    headers,
    text: body,
    body: (isProblem ? JSON.parse(body) : body) as unknown,
  };
  return answer;
}

function say(port: number, text: string): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.write(text);
  return socket;
}

/** Says a piece each so many milliseconds for as long as the connection lasts. */
async function trickle(socket: Socket, everyMs: number, piece: () => string) {
  while (!socket.destroyed && socket.writable) {
    socket.write(piece());
    await sleep(everyMs);
  }
}

const post = (length: number) =>
  `POST /api/leads HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;

describe('a slow caller', () => {
  test('has 10 s for its headers and 30 s for all, which is looked after each second', () => {
    expect(serverOptions).toMatchObject({
      headersTimeout: 10_000,
      requestTimeout: 30_000,
      connectionsCheckingInterval: 1_000,
    });
  });

  test('that says a header line now and then is cut off with 408, while others are served', async ({ api }) => {
    const { port, url } = await serve(api, QUICK);
    const loris = Array.from({ length: 50 }, () => say(port, 'GET /api/leads HTTP/1.1\r\nhost: localhost\r\n'));
    const ends = loris.map(readAll);
    let line = 0;
    for (const socket of loris) void trickle(socket, 150, () => `x-${(line += 1)}: y\r\n`);
    const served: number[] = [];
    for (let i = 0; i < 10; i += 1) {
      served.push((await fetch(`${url}/healthz`)).status);
      await sleep(50);
    }
    expect(served).toEqual(Array(10).fill(200));
    for (const answer of await Promise.all(ends)) {
      expectProblem(answer, 408, 'request-timeout');
    }
  });

  test('that says nothing at all is cut off too', async ({ api }) => {
    const { port } = await serve(api, QUICK);
    const answer = await readAll(say(port, ''));
    expectProblem(answer, 408, 'request-timeout');
  });

  test('that sends its body byte by byte is cut off with 408, and nothing is stored', async ({ api, database }) => {
    const { port, url } = await serve(api, QUICK);
    const before = await countRows(database);
    const sockets = Array.from({ length: 20 }, () => say(port, post(100_000)));
    const ends = sockets.map(readAll);
    for (const socket of sockets) void trickle(socket, 100, () => ' ');
    await sleep(500);
    const lead = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(newLead()) };
    expect((await fetch(`${url}/api/leads`, lead)).status).toBe(201);
    for (const answer of await Promise.all(ends)) {
      expectProblem(answer, 408, 'request-timeout');
    }
    expect((await countRows(database)).lead).toBe(before.lead + 1);
    expect(api.log.filter(({ level }) => Number(level) >= 40)).toEqual([]);
  });

  test('that is slow but in time is served', async ({ api }) => {
    const { port } = await serve(api);
    const lead = JSON.stringify(newLead());
    const socket = say(port, post(lead.length + 1).replace('\r\n\r\n', '\r\nconnection: close\r\n\r\n'));
    const end = readAll(socket);
    for (const part of [lead.slice(0, 20), lead.slice(20, 40), `${lead.slice(40)}\n`]) {
      await sleep(300);
      socket.write(part);
    }
    expect((await end).status).toBe(201);
  });
});

describe('a request that is no request', () => {
  test.for([
    ['no HTTP', 'hello\r\n\r\n'],
    ['a body of two lengths', `${post(2).replace('host', 'content-length: 3\r\nhost')}{}`],
    ['a length and chunks', `${post(2).replace('host', 'transfer-encoding: chunked\r\nhost')}{}`],
    ['a space before the colon', 'GET /healthz HTTP/1.1\r\nhost : x\r\n\r\n'],
    ['a line break within a header', 'GET /healthz HTTP/1.1\r\nhost: localhost\r\nx-a: b\nc\r\n\r\n'],
  ] as const)('is answered with 400: %s', async ([, text], { api }) => {
    const { port } = await serve(api);
    expectProblem(await readAll(say(port, text)), 400, 'malformed-request');
  });

  test('is told so after a good one on the same connection as well', async ({ api }) => {
    const { port } = await serve(api);
    const socket = say(port, 'GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await once(socket, 'data');
    socket.write('nonsense\r\n\r\n');
    expectProblem(await readAll(socket), 400, 'malformed-request');
  });
});

describe('a head that is too large', () => {
  test('is refused with 431: 16 KiB', async ({ api }) => {
    const { port } = await serve(api);
    const answer = await readAll(
      say(port, `GET /healthz HTTP/1.1\r\nhost: localhost\r\nx-a: ${'y'.repeat(17_000)}\r\n\r\n`),
    );
    expectProblem(answer, 431, 'headers-too-large');
  });

  test('is refused with 431: over a hundred headers', async ({ api }) => {
    const { port } = await serve(api);
    const request = (count: number) =>
      `GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n${'x-a: y\r\n'.repeat(count - 2)}\r\n`;
    expect((await readAll(say(port, request(100)))).status).toBe(200);
    expectProblem(await readAll(say(port, request(101))), 431, 'headers-too-large');
  });

  test('is refused with 414: a URL of over 8,000 characters', async ({ api }) => {
    expectProblem(await api.call('GET', `/api/leads?q=${'x'.repeat(8_000)}`), 414, 'url-too-long');
    const longest = ['organizationId', 'q', 'assignedTo'].map(
      (name) => `${name}=${encodeURIComponent('社'.repeat(200))}`,
    );
    expect((await api.call('GET', `/api/leads?${longest.join('&')}`)).status).toBe(200);
  });
});
