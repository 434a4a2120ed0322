import { describe, expect, it } from 'vitest';
import { createWebSiteSource } from '../../../src/enrichment/web-site/web-site-source.ts';
import { startDnsServer } from '../../support/outside/dns-server.ts';
import { startSite } from '../../support/outside/site.ts';
import { testFetch } from '../../safe-fetch/support.ts';
import { context, NOW } from '../support.ts';
import { DOMAIN, factsOf, readSite, startCompanySite } from './support.ts';

const PAGE = `<!doctype html><html lang="pt-br"><head>
  <title> Acme &amp; Filhos – Foguetes </title>
  <meta name="description" content="Fazemos   foguetes.">
  <meta property="og:site_name" content="Acme OG">
  <meta property="og:image" content="/rocket.png">
  <meta name="generator" content="WordPress 6.5">
  <script src="/wp-content/themes/x.js"></script>
  <script type="application/ld+json">{"@context":"https://schema.org","@graph":[{"@type":"WebSite","name":"Site"},
    {"@type":["Organization","Brand"],"name":"Acme <b>Ltda</b>","logo":{"@type":"ImageObject","url":"https://${DOMAIN}/logo.png"},
     "sameAs":["https://www.linkedin.com/company/acme/?trk=x","https://example.org/acme"]}]}</script>
  </head><body><a href="https://facebook.com/acme">f</a></body></html>`;

describe('the web site of a company', () => {
  it('tells its name, text, language, profiles and technologies', async () => {
    const headers = { server: 'nginx/1.25', 'x-powered-by': 'PHP/8.3' };
    const { companyLogo, siteImage, ...fields } = await readSite(PAGE, headers);
    expect(fields).toEqual({
      companyName: 'Acme Ltda',
      companyDescription: 'Fazemos foguetes.',
      siteTitle: 'Acme & Filhos – Foguetes',
      siteLanguage: 'pt-BR',
      socialLinks: ['https://linkedin.com/company/acme'],
      technologies: ['PHP', 'WordPress', 'nginx'],
    });
    expect(companyLogo).toBe(`https://${DOMAIN}/logo.png`);
    expect(siteImage).toMatch(/^https:\/\/acme\.com\.br:\d+\/rocket\.png$/);
  });

  it('says each with its method and confidence', async () => {
    const { lookUp } = await startCompanySite((request, response) => {
      if (request.url === '/robots.txt') response.writeHead(404).end();
      else response.writeHead(200, { 'content-type': 'text/html' }).end(PAGE);
    });
    expect(await lookUp()).toMatchObject({
      fields: {
        companyName: { method: 'json-ld', confidence: 0.8 },
        companyDescription: { method: 'meta', confidence: 0.6 },
        siteTitle: { method: 'title', confidence: 0.6 },
      },
    });
  });

  it('is believed less when another domain tells it', async () => {
    const { lookUp } = await startCompanySite(
      (request, response) => {
        const other = `https://acme-holding.com${request.headers.host?.slice(DOMAIN.length)}/`;
        if (request.url === '/robots.txt') response.writeHead(404).end();
        else if (request.headers.host?.startsWith(DOMAIN)) response.writeHead(301, { location: other }).end();
        else response.writeHead(200, { 'content-type': 'text/html' }).end('<title>Holding</title>');
      },
      ['acme-holding.com'],
    );
    expect(await lookUp()).toMatchObject({ fields: { siteTitle: { value: 'Holding', confidence: 0.3 } } });
  });

  it('is read in the charset that it is written in', async () => {
    const { lookUp } = await startCompanySite((request, response) => {
      if (request.url === '/robots.txt') response.writeHead(404).end();
      else {
        const html = '<meta charset="iso-8859-1"><title>Soluções</title>';
        response.writeHead(200, { 'content-type': 'text/html' }).end(Buffer.from(html, 'latin1'));
      }
    });
    expect(await lookUp()).toMatchObject({ fields: { siteTitle: { value: 'Soluções' } } });
  });

  it('is data: no tags, no control characters, no direction marks, no long texts, no other schemes', async () => {
    const fields = await readSite(
      `<title>a\u0000b\u202Ec&lt;script&gt;alert(1)&lt;/script&gt; ${'x'.repeat(5_000)}</title>
       <meta property="og:image" content="javascript:alert(1)"><meta property="og:site_name" content="\u200b \u0007">
       <html lang="<b>"><script type="application/ld+json">{"@type":"Organization","name":{"a":1},"logo":"data:x"}</script>`,
    );
    expect(Object.keys(fields)).toEqual(['siteTitle']);
    expect(fields.siteTitle).toMatch(/^a.?bc alert\(1\) x+$/);
    expect(fields.siteTitle).toHaveLength(200);
  });
});

describe('a site', () => {
  it('is looked for over http when nobody speaks https', async () => {
    const site = await startSite((request, response) => {
      if (request.url === '/robots.txt') response.writeHead(404).end();
      else response.writeHead(200, { 'content-type': 'text/html' }).end('<title>plain</title>');
    });
    const dns = await startDnsServer({ [DOMAIN]: { A: ['127.0.0.1'] } });
    const source = createWebSiteSource({
      fetch: testFetch({ ...dns, allow: [DOMAIN] }),
      origins: (domain) => [`https://${domain}:${site.port}/`, `http://${domain}:${site.port}/`],
    });
    expect(await source.lookUp(factsOf(DOMAIN), context())).toMatchObject({
      fields: { siteTitle: { value: 'plain' } },
    });
  });

  it.each(['example.com', 'acme.test'])('of the reserved name %s is not looked for', async (domain) => {
    const dns = await startDnsServer({ [domain]: { A: ['127.0.0.1'] } });
    const source = createWebSiteSource({ fetch: testFetch({ ...dns, allow: [domain] }) });
    expect(source.question(factsOf(domain))).toBeUndefined();
    expect(dns.asked).toEqual([]);
  });

  it('of a mail provider is not visited, even when a redirect leads there', async () => {
    const { lookUp, dns } = await startCompanySite((request, response) => {
      if (request.url === '/robots.txt') response.writeHead(404).end();
      else response.writeHead(302, { location: 'https://mail.gmail.com/' }).end();
    });
    expect(await lookUp()).toEqual({ kind: 'nothing' });
    expect(dns.asked.join()).not.toContain('gmail');
  });

  it('that leads to an inner address is refused by name, and not tried again over http', async () => {
    const { lookUp } = await startCompanySite((request, response) => {
      if (request.url === '/robots.txt') response.writeHead(404).end();
      else response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data/' }).end();
    });
    expect(await lookUp()).toEqual({ kind: 'stop', reason: 'address-refused' });
  });

  it.each([
    ['Disallow: /', 'nothing', 0],
    ['Disallow:', 'found', 1],
    ['Disallow: /private', 'found', 1],
    ['Disallow: /\nUser-agent: lead-onboarding\nAllow: /', 'found', 1],
  ] as const)('whose robots.txt says %j gives %s', async (rules, kind, pages) => {
    const { lookUp, site } = await startCompanySite((request, response) => {
      if (request.url === '/robots.txt') response.end(`User-agent: *\n${rules}\n`);
      else response.writeHead(200, { 'content-type': 'text/html' }).end('<title>x</title>');
    });
    expect((await lookUp()).kind).toBe(kind);
    expect(site.asked.filter((path) => path === '/')).toHaveLength(pages);
  });

  it.each([
    ['/public', 'found'],
    ['/private', 'nothing'],
    ['/public?private', 'nothing'],
  ] as const)('whose robots.txt lets its first page be seen, which leads to %s, gives %s', async (to, kind) => {
    const { lookUp, site } = await startCompanySite((request, response) => {
      if (request.url === '/robots.txt') response.end('User-agent: *\nDisallow: /private\nDisallow: /*?private\n');
      else if (request.url === '/') response.writeHead(302, { location: to }).end();
      else response.writeHead(200, { 'content-type': 'text/html' }).end('<title>x</title>');
    });
    expect((await lookUp()).kind).toBe(kind);
    expect(site.asked).toEqual(['/robots.txt', '/', ...(kind === 'found' ? [to] : [])]);
  });

  it('whose robots.txt is broken is not visited', async () => {
    const { lookUp, site } = await startCompanySite((_request, response) => response.writeHead(500).end());
    expect(await lookUp()).toEqual({ kind: 'nothing', transient: true });
    expect(site.asked).toEqual(['/robots.txt']);
  });

  it.each([
    [401, { kind: 'nothing' }],
    [403, { kind: 'nothing' }],
    [404, { kind: 'nothing' }],
    [500, { kind: 'nothing', transient: true }],
    [503, { kind: 'nothing', transient: true }],
  ])('that answers %i is asked once', async (status, answer) => {
    const { lookUp, site } = await startCompanySite((request, response) =>
      response.writeHead(request.url === '/robots.txt' ? 404 : status, { 'content-type': 'text/html' }).end('<p>'),
    );
    expect(await lookUp()).toEqual(answer);
    expect(site.asked).toEqual(['/robots.txt', '/']);
  });

  it.each([429, 503])('that answers %i with Retry-After is asked again then', async (status) => {
    const { lookUp } = await startCompanySite((request, response) =>
      response.writeHead(request.url === '/robots.txt' ? 404 : status, { 'retry-after': '7' }).end(),
    );
    const at = new Date(NOW.getTime() + 7_000);
    expect(await lookUp()).toEqual({ kind: 'retry', at, reason: `http-${status}` });
  });

  it('that is no page gives nothing, and its body is not read', async () => {
    const { lookUp } = await startCompanySite((request, response) => {
      if (request.url === '/robots.txt') response.writeHead(404).end();
      else response.writeHead(200, { 'content-type': 'application/zip' }).write(Buffer.alloc(1_000));
    });
    expect(await lookUp()).toEqual({ kind: 'nothing' });
  });

  it('counts each request, and asks no more than it may', async () => {
    const { source, site } = await startCompanySite((request, response) => {
      if (request.url === '/robots.txt') response.writeHead(404).end();
      else response.writeHead(302, { location: '/next' }).end();
    });
    let calls = 0;
    const takeCall = () => ((calls += 1) > 3 ? Promise.reject(new Error('no more')) : Promise.resolve());
    const asked = source.lookUp(factsOf(DOMAIN), { ...context(), takeCall });
    await expect(asked).rejects.toThrow('no more');
    expect(site.asked).toHaveLength(3);
  });
});
