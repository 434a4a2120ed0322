import { describe, expect } from 'vitest';
import type { Lead } from '../../src/leads/lead.ts';
import { newLead, testWithoutStarts as test, type TestApi } from '../support/api.ts';
import type { TestDatabase } from '../support/database.ts';
import { expectProblem } from '../support/problem.ts';
import { listen } from '../support/server.ts';

/** Who asked, as the timeline keeps it, after a request over a socket from 127.0.0.1, which is a trusted proxy. */
async function metadataOf(api: TestApi, { prisma }: TestDatabase, headers: Record<string, string>) {
  const server = await listen(api);
  const answer = await fetch(`${server.url}/api/leads`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(newLead()),
  });
  expect(answer.status).toBe(201);
  const { id } = (await answer.json()) as Lead;
  await server.close();
  const { metadata } = await prisma.leadEvent.findFirstOrThrow({ where: { leadId: id, type: 'lead.created' } });
  expect(metadata).toMatchObject({ requestId: answer.headers.get('x-request-id') });
  return metadata;
}

describe('who asked', () => {
  test.for([
    ['nothing', undefined, '127.0.0.1'],
    ['the address of the caller', '203.0.113.9', '203.0.113.9'],
    ['an IPv6 address', '2001:DB8::1', '2001:db8::1'],
    ['an IPv4 address in IPv6', '::ffff:203.0.113.9', '203.0.113.9'],
    ['an address that the caller made up, before the true one', '1.2.3.4, 203.0.113.9', '203.0.113.9'],
    ['the true one and another trusted proxy', '203.0.113.9, 10.1.2.3', '203.0.113.9'],
    ['trusted proxies only', '10.0.0.7, 10.1.2.3', '10.0.0.7'],
    ['no address', 'unknown', '127.0.0.1'],
    ['something behind a trusted proxy that is no address', 'unknown, 10.1.2.3', '10.1.2.3'],
  ] as const)('is found by what a trusted proxy forwards: %s', async ([, forwarded, ipAddress], { api, database }) => {
    const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
    expect(await metadataOf(api, database, headers)).toMatchObject({ ipAddress });
  });

  test('is kept with actor and user agent', async ({ api, database }) => {
    const headers = { 'x-actor-id': 'user-7', 'user-agent': 'crm/2.1 (sync)' };
    expect(await metadataOf(api, database, headers)).toMatchObject({ userId: 'user-7', userAgent: 'crm/2.1 (sync)' });
  });

  test('is nobody without an actor, and its user agent is cut at 500 characters', async ({ api, database }) => {
    const metadata = await metadataOf(api, database, { 'user-agent': 'x'.repeat(600) });
    expect(metadata).toMatchObject({ userId: null, userAgent: 'x'.repeat(500) });
  });

  test('has no address without a socket, whatever is forwarded', async ({ api, database }) => {
    const { body } = await api.call<Lead>('POST', '/api/leads', newLead(), { 'x-forwarded-for': '203.0.113.9' });
    const { metadata } = await database.prisma.leadEvent.findFirstOrThrow({ where: { leadId: body.id } });
    expect(metadata).toMatchObject({ ipAddress: null, userAgent: null, userId: null });
  });

  test.for(['', 'x'.repeat(201)])('is refused with 400 when the actor is %j', async (actor, { api, database }) => {
    const before = await database.prisma.lead.count();
    const answer = await api.call('POST', '/api/leads', newLead(), { 'x-actor-id': actor });
    expectProblem(answer, 400, 'invalid-request', ['X-Actor-Id']);
    expect(await database.prisma.lead.count()).toBe(before);
  });
});

describe('a proxy that is not trusted', () => {
  test.override({ trustedProxies: ['10.0.0.0/8', '::1'] });

  test('is not believed', async ({ api, database }) => {
    const headers = { 'x-forwarded-for': '203.0.113.9' };
    expect(await metadataOf(api, database, headers)).toMatchObject({ ipAddress: '127.0.0.1' });
  });
});
