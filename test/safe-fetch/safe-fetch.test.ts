import { setTimeout as sleep } from 'node:timers/promises';
import { deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { allowHosts } from '../../src/safe-fetch/allowed-hosts.ts';
import { startDnsServer } from '../support/outside/dns-server.ts';
import { startSite } from '../support/outside/site.ts';
import { failureOf, testFetch } from './support.ts';

const signal = new AbortController().signal;
const MEBIBYTE = 1024 * 1024;

describe('a page', () => {
  it('is had by name over https, with the name for TLS and in the Host header', async () => {
    const site = await startSite((_request, response) => response.end('hello'), ['acme.com.br']);
    const dns = await startDnsServer({ 'acme.com.br': { A: ['127.0.0.1'] } });
    const fetch = testFetch({ ...dns, allow: ['acme.com.br'], ca: site.ca });
    const { status, body } = await fetch(new URL(`https://acme.com.br:${site.port}/`), { signal });
    expect([status, body.toString()]).toEqual([200, 'hello']);
    expect(site.requests[0]?.headers).toMatchObject({ host: `acme.com.br:${site.port}`, 'user-agent': 'test/1.0' });
  });

  it('is not had when the certificate is for another name, or of nobody', async () => {
    const site = await startSite((_request, response) => response.end('hello'), ['other.com.br']);
    const dns = await startDnsServer({ 'acme.com.br': { A: ['127.0.0.1'] } });
    const url = `https://acme.com.br:${site.port}/`;
    expect(await failureOf(testFetch({ ...dns, allow: ['acme.com.br'], ca: site.ca }), url)).toBe('TlsFailed');
    expect(await failureOf(testFetch({ ...dns, allow: ['acme.com.br'] }), url)).toBe('TlsFailed');
    expect(site.asked).toEqual([]);
  });

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
  ] as const)('is unpacked from %s', async (encoding, pack) => {
    const site = await startSite((_request, response) =>
      response.writeHead(200, { 'content-encoding': encoding }).end(pack('hello')),
    );
    const fetch = testFetch({ allow: [`127.0.0.1:${site.port}`] });
    const { body } = await fetch(new URL(`http://127.0.0.1:${site.port}/`), { signal });
    expect(body.toString()).toBe('hello');
  });

  it('is had through a redirect, and says where it was in the end', async () => {
    const site = await startSite((request, response) =>
      request.url === '/' ? response.writeHead(301, { location: '/home' }).end() : response.end('home'),
    );
    const seen: string[] = [];
    const { url, body } = await testFetch({ allow: ['127.0.0.1'] })(new URL(`http://127.0.0.1:${site.port}/`), {
      signal,
      beforeRequest: ({ pathname }) => Promise.resolve(void seen.push(pathname)),
    });
    expect([url.pathname, body.toString()]).toEqual(['/home', 'home']);
    expect(seen).toEqual(['/', '/home']);
  });

  it('of 1 MiB is had, and of one byte more is not', async () => {
    const site = await startSite((request, response) =>
      response.end(Buffer.alloc(request.url === '/fits' ? MEBIBYTE : MEBIBYTE + 1)),
    );
    const fetch = testFetch({ allow: ['127.0.0.1'] });
    const { body } = await fetch(new URL(`http://127.0.0.1:${site.port}/fits`), { signal });
    expect(body).toHaveLength(MEBIBYTE);
    expect(await failureOf(fetch, `http://127.0.0.1:${site.port}/`)).toBe('BodyTooLarge');
  });

  it('whose body is not wanted is left unread', async () => {
    const site = await startSite((_request, response) => response.write(Buffer.alloc(MEBIBYTE)));
    const { body } = await testFetch({ allow: ['127.0.0.1'] })(new URL(`http://127.0.0.1:${site.port}/`), {
      signal,
      wants: () => false,
    });
    expect(body).toHaveLength(0);
  });
});

it('a name with two addresses is had from the one that answers, and a request that left is not sent again', async () => {
  const site = await startSite((request, response) =>
    request.url === '/cut' ? response.socket?.resetAndDestroy() : response.end('x'),
  );
  // Nobody listens at the other address of this machine.
  const dns = await startDnsServer({
    'acme.com.br': { A: ['127.0.0.2', '127.0.0.1'] },
    'cut.com.br': { A: ['127.0.0.1', '127.0.0.1'] },
  });
  const fetch = testFetch({ ...dns, allow: ['acme.com.br', 'cut.com.br'] });
  expect((await fetch(new URL(`http://acme.com.br:${site.port}/`), { signal })).status).toBe(200);
  expect(await failureOf(fetch, `http://cut.com.br:${site.port}/cut`)).toBe('ConnectFailed');
  expect(site.asked).toEqual(['/', '/cut']);
});

describe('a hostile answer', () => {
  it('that unpacks to more than 1 MiB is cut', async () => {
    const bomb = gzipSync(Buffer.alloc(50 * MEBIBYTE));
    const site = await startSite((_request, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb),
    );
    expect(await failureOf(testFetch({ allow: ['127.0.0.1'] }), `http://127.0.0.1:${site.port}/`)).toBe('BodyTooLarge');
  });

  it.each(['br', 'gzip, gzip', 'zstd'])('packed as %s is refused', async (encoding) => {
    const site = await startSite((_request, response) =>
      response.writeHead(200, { 'content-encoding': encoding }).end('x'),
    );
    const code = await failureOf(testFetch({ allow: ['127.0.0.1'] }), `http://127.0.0.1:${site.port}/`);
    expect(code).toBe('EncodingRefused');
  });

  it('with huge headers is cut', async () => {
    const site = await startSite((_request, response) => {
      for (let index = 0; index < 20; index += 1) response.setHeader(`x-${index}`, 'x'.repeat(1_000));
      response.end();
    });
    const code = await failureOf(testFetch({ allow: ['127.0.0.1'] }), `http://127.0.0.1:${site.port}/`);
    expect(code).toBe('HeadersTooLarge');
  });

  it('that is no HTTP, or ends too early, is malformed', async () => {
    const site = await startSite((request, response) => {
      if (request.url === '/') response.socket?.end('SSH-2.0-OpenSSH\r\n\r\n');
      else response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('hello').subarray(0, 12));
    });
    const fetch = testFetch({ allow: ['127.0.0.1'] });
    expect(await failureOf(fetch, `http://127.0.0.1:${site.port}/`)).toBe('ResponseMalformed');
    expect(await failureOf(fetch, `http://127.0.0.1:${site.port}/cut`)).toBe('ResponseMalformed');
  });

  it.each(['silent', 'drip', 'endless headers'])('that is %s is cut when the time is over', async (how) => {
    const site = await startSite((_request, response) => {
      const timer = setInterval(() => (how === 'drip' ? response.write('x') : response.writeProcessing()), 20);
      if (how === 'silent') clearInterval(timer);
      response.on('close', () => clearInterval(timer));
    });
    const fetch = testFetch({ allow: ['127.0.0.1'] });
    const code = await failureOf(fetch, `http://127.0.0.1:${site.port}/`, { withinMs: 400 });
    expect(code).toBe('TooSlow');
  });
});

it('a canceled fetch ends at once with the reason, and its connection with it', async () => {
  const closed: number[] = [];
  const site = await startSite((_request, response) => response.on('close', () => closed.push(Date.now())));
  const canceled = new AbortController();
  const fetch = testFetch({ allow: ['127.0.0.1'] });
  const fetched = fetch(new URL(`http://127.0.0.1:${site.port}/`), { signal: canceled.signal });
  await expect.poll(() => site.asked).toHaveLength(1);
  canceled.abort(new Error('canceled'));
  await expect(fetched).rejects.toThrow('canceled');
  await expect.poll(() => closed).toHaveLength(1);
});

describe('a resolver', () => {
  it('that is out of reach is tried once, and the next asks nothing', async () => {
    const dns = await startDnsServer({ 'acme.com.br': 'silent' });
    const fetch = testFetch({ ...dns, lookupMs: 200 });
    expect(await failureOf(fetch, 'https://acme.com.br/')).toBe('ResolverSilent');
    expect(dns.asked.toSorted()).toEqual(['acme.com.br A', 'acme.com.br AAAA']);
    expect(await failureOf(fetch, 'http://acme.com.br/')).toBe('ResolverSilent');
    expect(dns.asked).toHaveLength(2);
  });

  it('that knows no such name, and one that is broken, are told apart', async () => {
    const dns = await startDnsServer({ 'broken.com.br': 'broken', 'empty.com.br': {} });
    expect(await failureOf(testFetch(dns), 'http://nobody.com.br/')).toBe('NameNotFound');
    expect(await failureOf(testFetch(dns), 'http://empty.com.br/')).toBe('NameNotFound');
    expect(await failureOf(testFetch(dns), 'http://broken.com.br/')).toBe('ResolverSilent');
  });
});

describe('ENRICHMENT_ALLOW_HOSTS', () => {
  it('opens the named host, and with a port only that', () => {
    const allowed = allowHosts(['acme.com.br', '127.0.0.1:8080', '[::1]:8080']);
    expect(allowed('acme.com.br', 8443)).toBe(true);
    expect(allowed('ACME.com.br', 80)).toBe(true);
    expect(allowed('www.acme.com.br', 80)).toBe(false);
    expect(allowed('127.0.0.1', 8080)).toBe(true);
    expect(allowed('127.0.0.1', 80)).toBe(false);
    expect(allowed('[::1]', 8080)).toBe(true);
  });

  it.each(['http://acme.com', 'acme.com:0', 'acme.com:99999', '*.acme.com', '10.0.0.0/8', '[::1', '::1'])(
    'does not take %s',
    (entry) => {
      expect(() => allowHosts([entry])).toThrow(`not ${entry}`);
    },
  );
});

it('leaves no timer behind that ends a later fetch', async () => {
  const site = await startSite((_request, response) => response.end('x'));
  const fetch = testFetch({ allow: ['127.0.0.1'] });
  const url = new URL(`http://127.0.0.1:${site.port}/`);
  await fetch(url, { signal, withinMs: 200 });
  await sleep(250);
  expect((await fetch(url, { signal })).status).toBe(200);
});
