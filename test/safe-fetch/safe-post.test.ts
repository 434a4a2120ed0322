import { describe, expect, it, onTestFinished } from 'vitest';
import { allowHosts } from '../../src/safe-fetch/allowed-hosts.ts';
import type { FetchError } from '../../src/safe-fetch/fetch-error.ts';
import { createNameResolver } from '../../src/safe-fetch/name-resolver.ts';
import { createSafePost, type Post } from '../../src/safe-fetch/safe-post.ts';
import { startDnsServer } from '../support/outside/dns-server.ts';
import { startSite } from '../support/outside/site.ts';
import { PATIENT_LOOKUP_MS } from './support.ts';

const NAME = 'hooks.acme.com';

async function start(records: Parameters<typeof startDnsServer>[0], { allow = [] as string[], ca = '' } = {}) {
  const { servers } = await startDnsServer(records);
  const resolver = createNameResolver({ servers, lookupMs: PATIENT_LOOKUP_MS });
  const poster = createSafePost({ resolver, allowed: allowHosts(allow), ...(ca !== '' && { ca }) });
  onTestFinished(() => poster.close());
  return (url: string, change: Partial<Post> = {}) =>
    poster
      .post(new URL(url), {
        headers: {},
        body: '{}',
        signal: new AbortController().signal,
        withinMs: PATIENT_LOOKUP_MS,
        ...change,
      })
      .then(
        ({ status }) => status,
        (err: unknown) => (err as FetchError).code,
      );
}

describe('a post', () => {
  it.each([{ A: ['127.0.0.1'] }, { A: ['8.8.8.8', '127.0.0.1'] }, { AAAA: ['::ffff:127.0.0.1'] }, { A: ['10.0.0.1'] }])(
    'goes nowhere where a name has the address %j',
    async (records) => {
      const site = await startSite((_request, response) => response.end(), [NAME]);
      const post = await start({ [NAME]: records });
      expect(await post(`https://${NAME}:${site.port}/`)).toBe('AddressRefused');
      expect(site.connections()).toBe(0);
    },
  );

  it('goes to an address that was refused before only once it is allowed, by https, over one connection', async () => {
    const site = await startSite((_request, response) => response.writeHead(204).end(), [NAME]);
    const post = await start({ [NAME]: { A: ['127.0.0.1'] } }, { allow: [`${NAME}:${site.port}`], ca: site.ca ?? '' });
    for (let i = 0; i < 3; i += 1) expect(await post(`https://${NAME}:${site.port}/${i}`)).toBe(204);
    expect(site.asked).toEqual(['/0', '/1', '/2']);
    expect(site.connections()).toBe(1);
    const stranger = await start({ [NAME]: { A: ['127.0.0.1'] } }, { allow: [NAME] });
    expect(await stranger(`https://${NAME}:${site.port}/`)).toBe('TlsFailed');
  });

  it('ends when its time is over, also where the connection is taken and nothing is said', async () => {
    const site = await startSite(() => undefined);
    const post = await start({}, { allow: ['127.0.0.1'] });
    expect(await post(`http://127.0.0.1:${site.port}/`, { withinMs: 200 })).toBe('TooSlow');
  });

  it('takes a status for an answer, whatever follows', async () => {
    const site = await startSite((_request, response) => {
      response.writeHead(200).write('x');
      const more = setInterval(() => response.write('x'.repeat(64 * 1024)), 1);
      response.once('close', () => clearInterval(more));
    });
    const post = await start({}, { allow: ['127.0.0.1'] });
    expect(await post(`http://127.0.0.1:${site.port}/`)).toBe(200);
  });
});
