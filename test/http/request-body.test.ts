import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { describe, expect } from 'vitest';
import { MAX_BODY_BYTES } from '../../src/http/request/body.ts';
import { newLead, testWithoutStarts as test } from '../support/api.ts';
import { expectProblem } from '../support/problem.ts';
import { countRows } from '../support/rows.ts';
import { listen } from '../support/server.ts';

const bytes = (value: string) => new TextEncoder().encode(value);

describe('the body of a request', () => {
  test.for([
    ['nothing', ''],
    ['half an object', '{"organizationId":"org-1"'],
    ['two values', '{} {}'],
    ['a comment', '{} // secret-word'],
    ['NaN', '{"name":NaN}'],
    ['a control character in a text', '{"name":"a\nb"}'],
  ])('is refused with 400 and not repeated when it is %s', async ([, body], { api, database }) => {
    const before = await countRows(database);
    const answer = await api.call('POST', '/api/leads', body);
    expectProblem(answer, 400, 'malformed-body');
    expect(answer.text).not.toContain('secret-word');
    expect(await countRows(database)).toEqual(before);
  });

  test.for([
    ['a byte that begins nothing', [0xff]],
    ['half a character', [0xc3]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['an overlong slash', [0xc0, 0xaf]],
  ] as const)('is refused with 400 when it is not UTF-8: %s', async ([, wrong], { api, database }) => {
    const before = await countRows(database);
    const body = Uint8Array.of(...bytes('{"organizationId":"org-1","name":"Jo'), ...wrong, ...bytes('"}'));
    expectProblem(await api.call('POST', '/api/leads', body), 400, 'malformed-body');
    expect(await countRows(database)).toEqual(before);
  });

  test('may begin with a byte order mark', async ({ api }) => {
    expect((await api.call('POST', '/api/leads', `\ufeff${JSON.stringify(newLead())}`)).status).toBe(201);
  });

  test.for([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json; charset=iso-8859-1',
    'application/json ; charset=utf-8',
    'application/jsonp',
    'application/vnd.api+json',
    '',
  ])('is refused with 415 when it is declared as %j', async (type, { api, database }) => {
    const before = await countRows(database);
    const answer = await api.call('POST', '/api/leads', JSON.stringify(newLead()), { 'content-type': type });
    expectProblem(answer, 415, 'unsupported-media-type');
    expect(await countRows(database)).toEqual(before);
  });

  test.for([
    'application/json',
    'Application/JSON',
    'application/json;charset=UTF-8',
    'application/json; charset="utf-8"',
  ])('is taken when it is declared as %j', async (type, { api }) => {
    const answer = await api.call('POST', '/api/leads', newLead(), { 'content-type': type });
    expect(answer.status).toBe(201);
  });

  test('is asked for with 400 when there is none', async ({ api }) => {
    expectProblem(await api.call('POST', '/api/leads'), 400, 'invalid-request', ['organizationId', 'name']);
  });
});

/** Sends a lead of so many bytes over a socket of its own: with its length, or in chunks. */
async function send(port: number, size: number, sized: boolean) {
  const type = { 'content-type': 'application/json' };
  const headers = sized ? { ...type, 'content-length': size } : type;
  const call = request({ port, method: 'POST', path: '/api/leads', headers, agent: false });
  const answered = once(call, 'response') as Promise<[IncomingMessage]>;
  const lead = JSON.stringify({ organizationId: 'org-1', name: 'Ana' });
  await pipeline(Readable.from([lead.slice(0, -1), ' '.repeat(size - lead.length), lead.slice(-1)]), call);
  const [response] = await answered;
  const body = JSON.parse(await text(response)) as Record<string, unknown>;
  return { status: response.statusCode, type: response.headers['content-type'], body };
}

const WAYS = [
  ['with its length', true],
  ['in chunks', false],
] as const;

describe('over a socket', () => {
  test.for(WAYS)('10 MB are refused with 413 %s', async ([, sized], { api, database }) => {
    const server = await listen(api);
    const before = await countRows(database);
    const answer = await send(server.port, 10 * 1024 * 1024, sized);
    expect(answer).toMatchObject({ status: 413, type: 'application/problem+json', body: { status: 413 } });
    expect(await countRows(database)).toEqual(before);
    await server.close();
  });

  test.for(WAYS)('1 MiB is taken %s, and a byte more is not', async ([, sized], { api }) => {
    const server = await listen(api);
    expect((await send(server.port, MAX_BODY_BYTES, sized)).status).toBe(201);
    expect((await send(server.port, MAX_BODY_BYTES + 1, sized)).status).toBe(413);
    await server.close();
  });

  test('a body of no declared type is refused with 415, and no body needs none', async ({ api }) => {
    const server = await listen(api);
    const body = new TextEncoder().encode(JSON.stringify(newLead())); // of text, fetch would declare a type
    expect((await fetch(`${server.url}/api/leads`, { method: 'POST', body })).status).toBe(415);
    const readAll = '/api/notifications/read-all?organizationId=org-123&userId=user-456';
    expect((await fetch(server.url + readAll, { method: 'POST' })).status).toBe(200);
    await server.close();
  });

  test('a caller who hangs up while sending is not a fault of ours, and stores nothing', async ({ api, database }) => {
    const server = await listen(api);
    const before = await countRows(database);
    const socket = connect(server.port);
    const head =
      'POST /api/leads HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n';
    socket.write(`${head}{"organizationId":`);
    await once(server.node, 'request');
    socket.destroy();
    await expect.poll(() => api.log.map(({ msg }) => msg)).toContain('request answered');
    expect(api.log.filter(({ level }) => Number(level) >= 40)).toEqual([]);
    expect(await countRows(database)).toEqual(before);
    await server.close();
  });
});
