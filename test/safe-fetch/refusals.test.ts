import { beforeEach, describe, expect, it } from 'vitest';
import { startDnsServer } from '../support/outside/dns-server.ts';
import { type Site, startSite } from '../support/outside/site.ts';
import { failureOf, testFetch, watchConnections } from './support.ts';

/** Hosts that lead inside, as they may stand in a URL. */
const INSIDE = [
  '127.0.0.1',
  '127.1',
  '2130706433',
  '0x7f000001',
  '0177.0.0.1',
  '0x7f.1',
  '%31%32%37.0.0.1',
  '１２７.0.0.1',
  '0',
  '10.0.0.1',
  '172.16.0.1',
  '192.168.0.1',
  '169.254.169.254',
  '0251.0376.0251.0376',
  '2852039166',
  '100.100.100.200',
  '168.63.129.16',
  '[::1]',
  '[::]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::127.0.0.1]',
  '[0:0:0:0:0:ffff:169.254.169.254]',
  '[64:ff9b::7f00:1]',
  '[2002:7f00:1::]',
  '[2001:0:7f00:1::]',
  '[fe80::1]',
  '[fd00:ec2::254]',
  '[fec0::1]',
];
/** Addresses that a stranger's DNS may give to a name. */
const INSIDE_V4 = ['127.0.0.1', '10.1.2.3', '172.16.9.9', '192.168.3.4', '169.254.169.254', '100.64.0.1', '0.0.0.0'];
const INSIDE_V6 = ['::1', '::ffff:127.0.0.1', '::ffff:169.254.169.254', 'fe80::1', 'fd00::1', '64:ff9b::7f00:1'];

describe('not one connection is made', () => {
  it.each(INSIDE.flatMap((host) => [`http://${host}/`, `https://${host}/`]))('to %s', async (url) => {
    const begun = watchConnections();
    expect(await failureOf(testFetch(), url)).toBe('AddressRefused');
    expect(begun).toEqual([]);
  });

  it.each([...INSIDE_V4.map((A) => ({ A: [A] })), ...INSIDE_V6.map((AAAA) => ({ AAAA: [AAAA] }))])(
    'to a name that has the address %j',
    async (records) => {
      const dns = await startDnsServer({ 'rebind.acme.com': records });
      const begun = watchConnections();
      expect(await failureOf(testFetch(dns), 'http://rebind.acme.com/')).toBe('AddressRefused');
      expect(begun).toEqual([]);
      expect(dns.asked).not.toEqual([]);
    },
  );

  it('to a name that has a public and a private address', async () => {
    const dns = await startDnsServer({ 'both.acme.com': { A: ['8.8.8.8', '10.0.0.1'] } });
    const begun = watchConnections();
    expect(await failureOf(testFetch(dns), 'http://both.acme.com/')).toBe('AddressRefused');
    expect(begun).toEqual([]);
  });

  it.each([
    ['http://8.8.8.8:8080/', 'PortRefused'],
    ['https://8.8.8.8:80/', 'PortRefused'],
    ['http://8.8.8.8:22/', 'PortRefused'],
    ['ftp://8.8.8.8/', 'SchemeRefused'],
    ['file:///etc/passwd', 'SchemeRefused'],
    ['gopher://8.8.8.8/', 'SchemeRefused'],
    ['data:text/html,x', 'SchemeRefused'],
    ['http://user:password@8.8.8.8/', 'SchemeRefused'],
  ])('to %s', async (url, code) => {
    const begun = watchConnections();
    expect(await failureOf(testFetch(), url)).toBe(code);
    expect(begun).toEqual([]);
  });

  it.each(['localhost', 'intranet', 'acme.test', 'acme.invalid', 'printer.local', 'example.com', 'www.example.com.br'])(
    'nor %s looked up',
    async (host) => {
      const dns = await startDnsServer({ [host]: { A: ['8.8.8.8'] } });
      const begun = watchConnections();
      expect(await failureOf(testFetch(dns), `http://${host}/`)).toBe('NameReserved');
      expect(begun).toEqual([]);
      expect(dns.asked).toEqual([]);
    },
  );
});

it('a name whose address changes is connected to at the address that was checked', async () => {
  let queries = 0;
  const dns = await startDnsServer({
    'rebind.acme.com': { A: () => [(queries += 1) === 1 ? '8.8.8.8' : '127.0.0.1'] },
  });
  const begun = watchConnections();
  const fetch = testFetch(dns);
  expect(await failureOf(fetch, 'http://rebind.acme.com/')).toBe('ConnectFailed');
  expect(begun).toEqual(['8.8.8.8:80']);
  expect(await failureOf(fetch, 'http://rebind.acme.com/')).toBe('AddressRefused');
  expect(begun).toHaveLength(1);
});

describe('a redirect', () => {
  let location = '';
  let site: Site;
  const follow = async (to: string) => {
    location = to;
    const begun = watchConnections((port) => port === site.port);
    const fetch = testFetch({ allow: [`127.0.0.1:${site.port}`] });
    const code = await failureOf(fetch, `http://127.0.0.1:${site.port}/`);
    return { code, others: begun.filter((target) => target !== `127.0.0.1:${site.port}`), begun };
  };

  beforeEach(async () => {
    site = await startSite((_request, response) => response.writeHead(302, { location }).end());
  });

  const inAHeader = INSIDE.filter((host) => /^[!-~]+$/.test(host));
  it.each(inAHeader)('to %s is not followed', async (host) => {
    const { code, others, begun } = await follow(`http://${host}/latest/meta-data/`);
    expect(code).toBe('AddressRefused');
    expect(others).toEqual([]);
    expect(begun).toHaveLength(1); // the site itself: that the watch sees connections at all
  });

  it('to another port of an allowed host is not followed', async () => {
    const { code, others } = await follow(`http://127.0.0.1:${site.port + 1}/`);
    expect(code).toBe('PortRefused');
    expect(others).toEqual([]);
  });

  it.each([
    ['file:///etc/passwd', 'SchemeRefused'],
    ['http://[', 'ResponseMalformed'],
    ['http://localhost/', 'NameReserved'],
  ])('to %s is not followed', async (to, expected) => {
    expect((await follow(to)).code).toBe(expected);
  });

  it('is followed three times and no further', async () => {
    const { code, begun } = await follow('/again');
    expect(code).toBe('TooManyRedirects');
    expect(begun).toHaveLength(4);
  });
});
