import { monitorEventLoopDelay } from 'node:perf_hooks';
import { gzipSync } from 'node:zlib';
import type { RequestListener, ServerResponse } from 'node:http';
import { expect, it } from 'vitest';
import { startCompanySite } from './support.ts';

const MEBIBYTE = 1024 * 1024;
const BOMB = gzipSync(Buffer.alloc(200 * MEBIBYTE, '<b>'));
const html = { 'content-type': 'text/html' };

const forEver = (response: ServerResponse, milliseconds: number, write: () => void) => {
  const timer = setInterval(write, milliseconds);
  response.on('close', () => clearInterval(timer));
};
const fill = (pattern: string) => pattern.repeat(Math.floor((MEBIBYTE - 1) / pattern.length));

/** Ten kinds of pages that mean harm. */
const HOSTILE: Record<string, (response: ServerResponse) => void> = {
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

const listener =
  (page: (response: ServerResponse) => void): RequestListener =>
  (request, response) => {
    if (request.url === '/robots.txt') response.writeHead(404).end();
    else page(response);
  };

it('of ten hostile pages at once each ends within 8 s, in little memory and without holding others up', async () => {
  const sites = await Promise.all(Object.values(HOSTILE).map((page) => startCompanySite(listener(page))));
  const lag = monitorEventLoopDelay({ resolution: 10 });
  const before = process.memoryUsage.rss();
  let most = before;
  const watch = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 50);
  lag.enable();
  const ends = await Promise.all(
    sites.map(async ({ lookUp }) => {
      const begun = Date.now();
      const answer = await lookUp();
      return { kind: answer.kind, reason: 'reason' in answer ? answer.reason : undefined, ms: Date.now() - begun };
    }),
  );
  lag.disable();
  clearInterval(watch);
  const report = Object.keys(HOSTILE).map((name, index) => ({ name, ...ends[index] }));
  const grown = Math.round((most - before) / MEBIBYTE);

  for (const { ms } of ends) expect(ms).toBeLessThan(8_000);
  expect(grown).toBeLessThan(50);
  expect(Object.fromEntries(report.map(({ name, kind, reason }) => [name, reason ?? kind]))).toEqual({
    'a bomb': 'body-too-large',
    'an endless page': 'body-too-large',
    'a drip': 'too-slow',
    'a silent one': 'too-slow',
    'endless headers': 'too-slow',
    'huge headers': 'headers-too-large',
    'deep nesting': 'response-malformed',
    'deep JSON': 'nothing',
    'a tag with 120,000 attributes': 'nothing',
    'a maze of redirects': 'too-many-redirects',
  });
  expect(lag.max / 1e6).toBeLessThan(500);
});
