import { randomUUID } from 'node:crypto';
import { describe, expect } from 'vitest';
import { newLead, testWithoutStarts as test } from '../support/api.ts';
import { expectProblem } from '../support/problem.ts';

const ID = randomUUID();

describe('a path that there is not', () => {
  test.for([
    '/',
    '/api',
    '/api/',
    '/api/lead',
    '/api/leads/',
    `/api/leads/${ID}/`,
    `/api/leads/${ID}/scores`,
    '/docs/x.js',
    '//api/leads',
  ])('is answered with 404: %s', async (path, { api }) => {
    for (const method of ['GET', 'POST', 'DELETE']) expectProblem(await api.call(method, path), 404, 'not-found');
  });

  test('is not repeated in the answer or the log', async ({ api }) => {
    const answer = await api.call('GET', '/api/joao@example.com');
    expectProblem(answer, 404, 'not-found');
    expect(answer.text + JSON.stringify(api.log)).not.toContain('joao');
  });
});

describe('a known path with the wrong method', () => {
  test.for([
    ['PUT', '/api/leads', 'GET, HEAD, POST'],
    ['DELETE', '/api/leads', 'GET, HEAD, POST'],
    ['POST', `/api/leads/${ID}`, 'DELETE, GET, HEAD, PATCH'],
    ['PATCH', '/api/leads/batch', 'POST'],
    ['OPTIONS', '/api/leads/batch', 'POST'],
    ['GET', '/api/leads/batch', 'POST'],
    ['POST', `/api/leads/${ID}/export`, 'GET, HEAD'],
    ['PATCH', `/api/leads/${ID}/timeline`, 'GET, HEAD'],
    ['POST', `/api/leads/${ID}/onboarding`, 'GET, HEAD'],
    ['GET', `/api/leads/${ID}/onboarding/cancel`, 'POST'],
    ['POST', '/api/notifications', 'GET, HEAD'],
    ['GET', '/api/notifications/read-all', 'POST'],
    ['GET', `/api/notifications/${ID}/read`, 'POST'],
    ['POST', '/healthz', 'GET, HEAD'],
    ['POST', '/openapi.json', 'GET, HEAD'],
    ['PROPFIND', '/api/leads', 'GET, HEAD, POST'],
    ['OPTIONS', '/api/leads', 'GET, HEAD, POST'],
  ] as const)('is answered with 405, and with what it takes: %s %s', async ([method, path, allow], { api }) => {
    const answer = await api.call(method, path);
    expectProblem(answer, 405, 'method-not-allowed');
    expect(answer.headers.get('allow')).toBe(allow);
  });

  test('is 404 for OPTIONS where there is nothing', async ({ api }) => {
    expectProblem(await api.call('OPTIONS', '/api/nothing'), 404, 'not-found');
  });
});

describe('HEAD', () => {
  test.for(['/healthz', '/api/leads?organizationId=org-123', '/api/leads', `/api/leads/${ID}`, '/nothing'])(
    'answers as GET does, without a body: %s',
    async (path, { api }) => {
      const [head, get] = [await api.call('HEAD', path), await api.call('GET', path)];
      expect(head.status).toBe(get.status);
      expect(head.headers.get('content-type')).toBe(get.headers.get('content-type'));
      expect(head.text).toBe('');
    },
  );

  test('is 405 where GET is', async ({ api }) => {
    const answer = await api.call('HEAD', '/api/notifications/read-all');
    expect({ status: answer.status, text: answer.text, allow: answer.headers.get('allow') }).toEqual({
      status: 405,
      text: '',
      allow: 'POST',
    });
  });
});

describe('a query parameter that is not known', () => {
  test.for([
    ['POST', '/api/leads', newLead()],
    ['GET', `/api/leads/${ID}`],
    ['PATCH', `/api/leads/${ID}`, { name: 'Ana' }],
    ['DELETE', `/api/leads/${ID}`],
    ['GET', `/api/leads/${ID}/export`],
    ['GET', `/api/leads/${ID}/timeline`],
    ['GET', `/api/leads/${ID}/onboarding`],
    ['POST', `/api/leads/${ID}/onboarding/cancel`],
    ['GET', '/api/notifications?organizationId=a&userId=b'],
    ['POST', '/api/notifications/read-all?organizationId=a&userId=b'],
    ['POST', `/api/notifications/${ID}/read`],
  ] as [string, string, unknown?][])(
    'is refused with 400 by %s %s',
    async ([method, path, body], { api, database }) => {
      const answer = await api.call(method, `${path}${path.includes('?') ? '&' : '?'}verbose=1`, body);
      expectProblem(answer, 400, 'invalid-request', ['verbose']);
      expect(await database.prisma.lead.count()).toBe(0);
    },
  );
});

describe('an id that is no UUID', () => {
  test.for([
    ['GET', '/api/leads/1'],
    ['PATCH', '/api/leads/1', { name: 'Ana' }],
    ['DELETE', '/api/leads/1'],
    ['GET', '/api/leads/1/export'],
    ['GET', '/api/leads/1/timeline'],
    ['GET', '/api/leads/%00/onboarding'],
    ['POST', "/api/notifications/'/read"],
  ] as [string, string, unknown?][])('is refused with 400 by %s %s', async ([method, path, body], { api }) => {
    expectProblem(await api.call(method, path, body), 400, 'invalid-request', ['id']);
  });
});

describe('the request id', () => {
  test('is what the caller brings, in answer, error and log', async ({ api }) => {
    const mine = { 'x-request-id': '0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331' };
    expect((await api.call('GET', '/healthz', undefined, mine)).headers.get('x-request-id')).toBe(mine['x-request-id']);
    const refused = await api.call('GET', '/nothing', undefined, mine);
    expect(refused.body).toMatchObject({ requestId: mine['x-request-id'] });
    expect(api.log.map(({ requestId }) => requestId)).toEqual([mine['x-request-id'], mine['x-request-id']]);
  });

  test.for(['', 'x'.repeat(65), 'joao@example.com', 'a b', 'a/b', 'a\u00e9'])(
    'is a new one instead of %j',
    async (id, { api }) => {
      const ids = [];
      for (let i = 0; i < 2; i += 1)
        ids.push((await api.call('GET', '/healthz', undefined, { 'x-request-id': id })).headers.get('x-request-id'));
      expect(ids).toEqual([expect.stringMatching(/^[\da-f-]{36}$/), expect.stringMatching(/^[\da-f-]{36}$/)]);
      expect(ids[0]).not.toBe(ids[1]);
      if (id !== '') expect(JSON.stringify(api.log)).not.toContain(id);
    },
  );
});

describe('a fault of ours', () => {
  test('is answered with 500 without its cause, and logged with kind and place', async ({ api, database }) => {
    await database.pool.query('ALTER TABLE notification RENAME TO elsewhere');
    const answer = await api.call('GET', '/api/notifications?organizationId=secret-org&userId=secret-user');
    await database.pool.query('ALTER TABLE elsewhere RENAME TO notification');

    expectProblem(answer, 500, 'internal');
    expect(answer.text).not.toMatch(/notification|prisma|table/i);
    const [line] = api.log.filter(({ msg }) => msg === 'request failed');
    expect(line).toMatchObject({
      level: 50,
      requestId: answer.headers.get('x-request-id'),
      method: 'GET',
      route: '/api/notifications',
      err: {
        type: 'PrismaClientKnownRequestError',
        code: 'P2021',
        at: expect.arrayContaining([expect.stringMatching(/^at /)]) as string[],
      },
    });
    expect(JSON.stringify(api.log)).not.toContain('secret');
  });
});
