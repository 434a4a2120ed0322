import type { RequestListener, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';

const MEBIBYTE = 1024 * 1024;
const BOMB = gzipSync(Buffer.alloc(200 * MEBIBYTE, '<b>'));
const html = { 'content-type': 'text/html' };

const forEver = (response: ServerResponse, milliseconds: number, write: () => void) => {
  const timer = setInterval(write, milliseconds);
  response.on('close', () => clearInterval(timer));
};
const fill = (pattern: string) => pattern.repeat(Math.floor((MEBIBYTE - 1) / pattern.length));

/** Ten kinds of pages that mean harm. */
export const HOSTILE: Record<string, (response: ServerResponse) => void> = {
  'a bomb': (response) => response.writeHead(200, { ...html, 'content-encoding': 'gzip' }).end(BOMB),
  'an endless page': (response) => {
    response.writeHead(200, html);
    const chunk = Buffer.alloc(16 * 1024, 'x');
    forEver(response, 1, () => response.write(chunk));
  },
  'a drip': (response) => {
    response.writeHead(200, html);
    forEver(response, 50, () => response.write('x'));
  },
  'a silent one': () => undefined,
  'endless headers': (response) => forEver(response, 20, () => response.writeProcessing()),
  'huge headers': (response) => {
    for (let index = 0; index < 500; index += 1) response.setHeader(`x-${index}`, 'x'.repeat(1_000));
    response.writeHead(200, html).end();
  },
  'deep nesting': (response) => response.writeHead(200, html).end(fill('<div>')),
  'deep JSON': (response) =>
    response.writeHead(200, html).end(`<script type="application/ld+json">${'['.repeat(60_000)}</script>`),
  'a tag with 120,000 attributes': (response) =>
    response.writeHead(200, html).end(`<p ${Array.from({ length: 120_000 }, (_, i) => `a${i}`).join(' ')}>`),
  'a maze of redirects': (response) => response.writeHead(302, { location: `/${Math.random()}` }).end(),
};

/** A site whose robots.txt lets everybody in, to such a page. */
export const hostileSite =
  (page: (response: ServerResponse) => void): RequestListener =>
  (request, response) => {
    if (request.url === '/robots.txt') response.writeHead(404).end();
    else page(response);
  };
