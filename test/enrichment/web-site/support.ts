import type { RequestListener } from 'node:http';
import { createWebSiteSource } from '../../../src/enrichment/web-site/web-site-source.ts';
import type { Answer, FieldValues, LookupFacts } from '../../../src/enrichment/provider.ts';
import { startDnsServer } from '../../support/outside/dns-server.ts';
import { startSite } from '../../support/outside/site.ts';
import { testFetch } from '../../safe-fetch/support.ts';
import { context, leadWith, NOW } from '../support.ts';

export const DOMAIN = 'acme.com.br';

export const factsOf = (domain: string): LookupFacts => ({
  ...leadWith({}),
  found: {
    companyDomain: {
      value: domain,
      source: 'company',
      method: 'registrable-domain',
      confidence: 0.9,
      fetchedAt: NOW.toISOString(),
    },
  },
});

/** A company's site at its own name over https, and a provider that finds it there. */
export async function startCompanySite(listener: RequestListener, others: string[] = []) {
  const names = [DOMAIN, ...others];
  const site = await startSite(listener, names);
  const dns = await startDnsServer(Object.fromEntries(names.map((name) => [name, { A: ['127.0.0.1'] }])));
  const allow = names.map((name) => `${name}:${site.port}`);
  const source = createWebSiteSource({
    fetch: testFetch({ ...dns, allow, ca: site.ca }),
    origins: (domain) => [`https://${domain}:${site.port}/`],
  });
  const lookUp = (signal?: AbortSignal): Promise<Answer> => source.lookUp(factsOf(DOMAIN), context(signal));
  return { site, dns, source, lookUp };
}

/** What is found on a page, without how. */
export async function readSite(html: string, headers: Record<string, string> = {}): Promise<Partial<FieldValues>> {
  const { lookUp } = await startCompanySite((request, response) => {
    if (request.url === '/robots.txt') response.writeHead(404).end();
    else response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', ...headers }).end(html);
  });
  const answer = await lookUp();
  if (answer.kind !== 'found') return {};
  return Object.fromEntries(Object.entries(answer.fields).map(([name, { value }]) => [name, value]));
}
