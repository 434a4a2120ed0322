import type { RequestListener } from 'node:http';
import { describe, expect, it } from 'vitest';
import { createHttpSource, type HttpSourceSettings } from '../../src/enrichment/http-source/http-source.ts';
import type { LookupFacts } from '../../src/enrichment/provider.ts';
import { startSite } from '../support/outside/site.ts';
import { testFetch } from '../safe-fetch/support.ts';
import { context, leadWith, NOW } from './support.ts';

const facts = (email: string | null = 'ana+1@acme.com.br'): LookupFacts => ({ ...leadWith({ email }), found: {} });

async function startService(listener: RequestListener, settings: Partial<HttpSourceSettings> = {}) {
  const site = await startSite(listener);
  const source = createHttpSource(testFetch({ allow: ['127.0.0.1'] }), {
    name: 'people',
    url: `http://127.0.0.1:${site.port}/v1/people?email={email}`,
    headers: { authorization: 'Bearer secret' },
    fields: {
      jobTitle: 'person.title',
      employeeCount: 'company.size.0',
      linkedinUrl: 'person.url',
      technologies: 'tech',
    },
    confidence: 0.7,
    timeoutMs: 400,
    ...settings,
  });
  return { site, source, lookUp: () => source.lookUp(facts(), context()) };
}

const json =
  (body: unknown): RequestListener =>
  (_request, response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));

describe('a service', () => {
  it('is asked by a template, with its key, and its answer is mapped', async () => {
    const { site, lookUp } = await startService(
      json({
        person: { title: ' <b>CTO</b>\u0000 ', url: 'https://linkedin.com/in/ana' },
        company: { size: ['250'] },
        tech: ['Postgres', 7, null],
      }),
    );
    expect(await lookUp()).toEqual({
      kind: 'found',
      fields: {
        jobTitle: { value: 'CTO', method: 'api', confidence: 0.7 },
        employeeCount: { value: 250, method: 'api', confidence: 0.7 },
        linkedinUrl: { value: 'https://linkedin.com/in/ana', method: 'api', confidence: 0.7 },
        technologies: { value: ['Postgres'], method: 'api', confidence: 0.7 },
      },
    });
    expect(site.asked).toEqual(['/v1/people?email=ana%2B1%40acme.com.br']);
    expect(site.requests[0]?.headers.authorization).toBe('Bearer secret');
  });

  it('that has none of the fields, or of another kind, has nothing', async () => {
    const { lookUp } = await startService(
      json({ person: { title: {}, url: 'javascript:alert(1)' }, company: { size: ['many'] } }),
    );
    expect(await lookUp()).toEqual({ kind: 'nothing' });
  });

  it('is not asked when the lead lacks what it is asked by', () => {
    const source = createHttpSource(testFetch(), {
      name: 'people',
      url: 'https://api.acme.com/?e={email}&d={companyDomain}',
      headers: {},
      fields: { jobTitle: 't' },
      confidence: 1,
      timeoutMs: 100,
    });
    expect(source.question(facts())).toBeUndefined();
  });

  it.each(['..', ' . ', '', '\ud800'])('is not asked about a company called %j', (company) => {
    const source = createHttpSource(testFetch(), {
      name: 'companies',
      url: 'https://api.acme.com/v1/companies/{company}/info',
      headers: {},
      fields: { city: 'city' },
      confidence: 1,
      timeoutMs: 100,
    });
    expect(source.question({ ...leadWith({ company }), found: {} })).toBeUndefined();
    const question = source.question({ ...leadWith({ company: 'a/../b?c#d' }), found: {} });
    expect(question).toEqual({ key: 'https://api.acme.com/v1/companies/a%2F..%2Fb%3Fc%23d/info', isPersonal: false });
  });

  it.each([
    [401, { kind: 'stop', reason: 'http-401', transient: true }],
    [403, { kind: 'stop', reason: 'http-403', transient: true }],
    [402, { kind: 'stop', reason: 'http-402', transient: true }],
    [404, { kind: 'nothing', transient: false }],
    [204, { kind: 'nothing', transient: false }],
    [202, { kind: 'nothing', transient: true }],
    [302, { kind: 'stop', reason: 'http-302', transient: true }],
    [429, { kind: 'retry', at: NOW, reason: 'http-429' }],
    [500, { kind: 'retry', at: NOW, reason: 'http-500' }],
    [503, { kind: 'retry', at: NOW, reason: 'http-503' }],
  ])('that answers %i', async (status, answer) => {
    const { site, lookUp } = await startService((_request, response) =>
      response.writeHead(status, { location: 'http://169.254.169.254/' }).end(),
    );
    expect(await lookUp()).toEqual(answer);
    expect(site.asked).toHaveLength(1);
  });

  it.each([429, 503])('that answers %i with Retry-After wants patience from all', async (status) => {
    const { lookUp } = await startService((_request, response) =>
      response.writeHead(status, { 'retry-after': '7' }).end(),
    );
    const at = new Date(NOW.getTime() + 7_000);
    expect(await lookUp()).toEqual({ kind: 'retry', at, reason: `http-${status}`, forAll: true });
  });

  it('that hangs, or is down, may be asked again', async () => {
    const { lookUp } = await startService(() => undefined);
    expect(await lookUp()).toEqual({ kind: 'retry', at: NOW, reason: 'too-slow' });
    const down = await startService(() => undefined, { url: 'http://127.0.0.1:9/{email}' });
    expect(await down.lookUp()).toEqual({ kind: 'retry', at: NOW, reason: 'connect-failed' });
  });

  it('that answers garbage is not asked again', async () => {
    const { lookUp } = await startService((_request, response) => response.end('<html>'));
    expect(await lookUp()).toEqual({ kind: 'stop', reason: 'no-json', transient: true });
  });

  it('inside of a private network is refused by name', async () => {
    const { lookUp } = await startService(() => undefined, { url: 'https://10.0.0.1/{email}' });
    expect(await lookUp()).toEqual({ kind: 'stop', reason: 'address-refused', transient: true });
  });
});
