import { describe, expect } from 'vitest';
import { createPool } from '../../src/db/pool.ts';
import { formSecretReader } from '../../src/forms/secret.ts';
import { createFormTokens } from '../../src/forms/token.ts';
import { MAX_FORM_BYTES } from '../../src/http/request/body.ts';
import type { Lead } from '../../src/leads/lead.ts';
import { freePort } from '../../src/local/ports.ts';
import { orderSchema } from '../../src/outbox/order.ts';
import { createRateLimiter } from '../../src/rate-limit/limiter.ts';
import { createTestApi, test as base, type TestApi } from '../support/api.ts';
import type { TestDatabase } from '../support/database.ts';
import { expectProblem } from '../support/problem.ts';
import { countRows } from '../support/rows.ts';
import { recordStatements } from '../support/statements.ts';

const SITE = 'https://www.example.com';
const URLENCODED = 'application/x-www-form-urlencoded';

type Fields = Record<string, string>;

const test = base.extend<{ forms: TestApi }>({
  forms: async ({ database }, use) => {
    const api = createTestApi(database, { slots: 0, formReturnOrigins: [SITE] });
    await use(api);
    await api.close();
  },
});

const tokenOf = async (api: TestApi) => (await api.call<{ token: string }>('GET', '/forms/token')).body.token;

/** What a visitor sends: an e-mail of its own, unless told otherwise, and a token of just now. */
let visitors = 0;
async function filled(api: TestApi, change: Fields = {}): Promise<Fields> {
  visitors += 1;
  const email = `visitor${visitors}@example.com`;
  return { organizationId: 'org-123', name: 'Ana', email, token: await tokenOf(api), ...change };
}

const submit = (api: TestApi, fields: Fields | string, type = URLENCODED) => {
  const body = typeof fields === 'string' ? fields : new URLSearchParams(fields).toString();
  return api.call('POST', '/forms/leads', body, { 'content-type': type });
};

const RECEIVED = { status: 201, text: '{"status":"received"}' };

describe('a form that a browser sends', () => {
  test('becomes a lead, with its order, and answers nothing of it', async ({ forms, database: { prisma } }) => {
    const fields = await filled(forms, {
      name: '  João da Silva ',
      phone: '+55 11 98765-4321',
      company: 'Acme & Söhne',
      assignedTo: 'user-456',
      locale: 'en',
      'attributes[message]': 'Call me\r\nplease – 100%',
      'attributes[utm_source]': 'news',
    });
    expect(await submit(forms, fields)).toMatchObject(RECEIVED);
    const lead = await prisma.lead.findFirstOrThrow({ where: { email: fields['email'] ?? '' } });
    expect(lead).toMatchObject({
      organizationId: 'org-123',
      name: 'João da Silva',
      phone: '+55 11 98765-4321',
      company: 'Acme & Söhne',
      source: 'FORM',
      status: 'NEW',
      priority: 'NORMAL',
      assignedTo: 'user-456',
      locale: 'en',
      attributes: { message: 'Call me\r\nplease – 100%', utm_source: 'news' },
    });
    expect(await prisma.outbox.findFirst({ where: { leadId: lead.id } })).toMatchObject({ kind: 'START_ONBOARDING' });
    const created = await prisma.leadEvent.findFirstOrThrow({ where: { leadId: lead.id } });
    expect(created).toMatchObject({ type: 'lead.created', metadata: { requestId: expect.any(String) as string } });
  });

  test('leaves fields empty as people do', async ({ forms, database: { prisma } }) => {
    const empty = {
      email: '',
      phone: '',
      company: '',
      assignedTo: '',
      website: '',
      returnTo: '',
      'attributes[note]': '',
    };
    expect(await submit(forms, await filled(forms, { name: 'Nobody in particular', ...empty }))).toMatchObject(
      RECEIVED,
    );
    expect(await prisma.lead.findFirstOrThrow({ where: { name: 'Nobody in particular' } })).toMatchObject({
      ...{ email: null, phone: null, company: null, assignedTo: null, locale: 'pt-BR', attributes: {} },
    });
  });

  test('sends the visitor on to a page of a listed site', async ({ forms, database: { prisma } }) => {
    const fields = await filled(forms, { returnTo: `${SITE}/thank-you?from=form#top` });
    const { status, headers, text } = await submit(forms, fields);
    expect([status, headers.get('location'), text]).toEqual([303, `${SITE}/thank-you?from=form#top`, '']);
    expect(await prisma.lead.count({ where: { email: fields['email'] ?? '' } })).toBe(1);
  });

  test.for([
    'https://evil.example/',
    'https://www.example.com.evil.example/',
    'https://www.example.com@evil.example/',
    'http://www.example.com/',
    'https://www.example.com:8443/',
    '//evil.example',
    '/thank-you',
    'javascript:alert(1)',
    'https:\\\\evil.example',
  ])('does not send the visitor to %s, nor store anything', async (returnTo, { forms, database }) => {
    const before = await countRows(database);
    const answer = await submit(forms, await filled(forms, { returnTo, website: 'spam' }));
    expectProblem(answer, 400, 'invalid-request', ['returnTo']);
    expect(await countRows(database)).toEqual(before);
  });

  test('decides neither status nor priority, nor anything else that is not known', async ({ forms, database }) => {
    const before = await countRows(database);
    const fields = await filled(forms, { status: 'CONVERTED', priority: 'CRITICAL', score: '100', __proto__x: '1' });
    const answer = await submit(forms, `${new URLSearchParams(fields).toString()}&__proto__=x`);
    expectProblem(answer, 400, 'invalid-request', ['status', 'priority', 'score', '__proto__x', '__proto__']);
    expect(await countRows(database)).toEqual(before);
  });

  test.for([
    ['no name', { name: '' }, 'name'],
    ['a long name', { name: 'x'.repeat(201) }, 'name'],
    ['NUL', { name: 'a\0b' }, 'name'],
    ['no e-mail address', { email: 'ana' }, 'email'],
    ['no source', { source: 'SPACE' }, 'source'],
    ['attributes that are no members', { attributes: 'x' }, 'attributes'],
    ['NUL in an attribute', { 'attributes[a]': '\0' }, 'attributes'],
    ['no organization', { organizationId: '' }, 'organizationId'],
  ] as const)('is held to the rules of leads: %s', async ([, change, path], { forms, database }) => {
    const before = await countRows(database);
    expectProblem(await submit(forms, await filled(forms, change)), 400, 'invalid-request', [path]);
    expect(await countRows(database)).toEqual(before);
  });

  test('is refused when a field comes twice, as nobody knows which is meant', async ({ forms }) => {
    const fields = new URLSearchParams(await filled(forms)).toString();
    const answer = await submit(forms, `${fields}&name=Eva&name=Bia&email=a%40b.co`);
    expectProblem(answer, 400, 'invalid-request', ['name', 'email']);
  });

  test('is refused when it has over a hundred fields', async ({ forms }) => {
    expectProblem(await submit(forms, 'a=&'.repeat(101)), 400, 'invalid-request');
  });

  test.for(['name=%FF', 'name=%C3', 'name=%ZZ', 'name=%', 'name=%ED%A0%80'])(
    'is refused when it is not percent-encoded UTF-8: %s',
    async (body, { forms }) => expectProblem(await submit(forms, body), 400, 'malformed-body'),
  );
});

test.for(['REFERRAL', 'PARTNER', 'CRM', 'IMPORT'])(
  'a form cannot claim the source %s, for which nobody vouches',
  async (source, { forms, database }) => {
    const before = await countRows(database);
    const answer = await submit(forms, await filled(forms, { source }));
    expectProblem(answer, 400, 'invalid-request', ['source']);
    expect(answer.text).toContain('must be one of WEBSITE, FORM, ADS, EVENT, OTHER');
    expect(await countRows(database)).toEqual(before);
  },
);

describe('what a form has said of a person', () => {
  const forged = { name: 'Not Ana', phone: '+55 11 90000-0000', company: 'Evil', assignedTo: 'user-1' };
  const timelineOf = async ({ prisma }: TestDatabase, leadId: string) =>
    (await prisma.leadEvent.findMany({ where: { leadId }, orderBy: { seq: 'asc' } })).map(({ type, data }) => ({
      type,
      data,
    }));

  test('is corrected by what a caller with access states, and the timeline says how', async ({ forms, database }) => {
    const fields = await filled(forms, { ...forged, 'attributes[budget]': '1000000' });
    await submit(forms, fields);
    const email = (fields['email'] ?? '').toUpperCase();
    const told = { email, name: 'Ana', company: null, source: 'PARTNER', assignedTo: 'user-2', attributes: {} };
    const answer = await forms.call<Lead>('POST', '/api/leads', { organizationId: 'org-123', ...told });

    expect(answer).toMatchObject({
      status: 200,
      body: { duplicate: true, ...told, phone: forged.phone, locale: 'pt-BR' },
    });
    const { id } = answer.body;
    const read = await forms.call('GET', `/api/leads/${id}`);
    expect(answer.body).toEqual({ ...(read.body as Lead), duplicate: true });
    expect(answer.headers.get('etag')).toBe(read.headers.get('etag'));
    expect((await timelineOf(database, id)).slice(1)).toEqual([
      { type: 'lead.touched', data: expect.objectContaining({ name: 'Ana' }) as object },
      {
        type: 'lead.updated',
        data: {
          changes: {
            name: { from: forged.name, to: 'Ana' },
            email: { from: fields['email'], to: email },
            company: { from: forged.company, to: null },
            source: { from: 'FORM', to: 'PARTNER' },
            attributes: { from: { budget: '1000000' }, to: {} },
          },
        },
      },
      { type: 'lead.assigned', data: { from: 'user-1', to: 'user-2' } },
    ]);
    const orders = await database.prisma.outbox.findMany({ where: { leadId: id }, orderBy: { createdAt: 'asc' } });
    expect(orders.map((order) => [order.kind, orderSchema.parse(order).payload])).toMatchObject([
      ['START_ONBOARDING', { round: 1 }],
      ['NOTIFY_ASSIGNEE', { assignment: 2, priority: 'NORMAL' }],
    ]);
  });

  test('is corrected once: after that callers are duplicates of one another', async ({ forms, database }) => {
    const { email = '' } = await filled(forms);
    await submit(forms, await filled(forms, { ...forged, email }));
    const send = (lead: object) =>
      forms.call<Lead>('POST', '/api/leads', { organizationId: 'org-123', email, ...lead });
    const first = await send({ name: 'Not Ana' }); // it confirms the name, and changes nothing
    const second = await send({ name: 'Somebody else' });
    expect([first.body.name, second.body.name]).toEqual(['Not Ana', 'Not Ana']);
    const types = (await timelineOf(database, first.body.id)).map(({ type }) => type);
    expect(types).toEqual(['lead.created', 'lead.touched', 'lead.touched']);
  });

  test('is corrected by one of many callers at the same moment', async ({ forms, database }) => {
    const { email = '' } = await filled(forms);
    await submit(forms, await filled(forms, { ...forged, email }));
    const names = Array.from({ length: 10 }, (_, i) => `Ana ${i}`);
    const answers = await Promise.all(
      names.map((name) => forms.call<Lead>('POST', '/api/leads', { organizationId: 'org-123', email, name })),
    );
    const { name, id, version } = await database.prisma.lead.findFirstOrThrow({ where: { email } });
    expect([new Set(answers.map(({ body }) => body.name)), version]).toEqual([new Set([name]), 2]);
    const types = (await timelineOf(database, id)).map(({ type }) => type);
    expect(types.filter((type) => type === 'lead.updated')).toHaveLength(1);
  });

  test('is not corrected after somebody with access has changed the lead', async ({ forms, database: { prisma } }) => {
    const { email = '' } = await filled(forms);
    await submit(forms, await filled(forms, { ...forged, email }));
    const { id } = await prisma.lead.findFirstOrThrow({ where: { email } });
    await forms.call('PATCH', `/api/leads/${id}`, { name: 'Ana by hand' });
    const answer = await forms.call('POST', '/api/leads', { organizationId: 'org-123', email, name: 'Ana' });
    expect(answer).toMatchObject({ status: 200, body: { name: 'Ana by hand', company: forged.company } });
  });

  test('changes no lead that there is, whoever brought it', async ({ forms, database }) => {
    for (const bring of ['form', 'api']) {
      const fields = await filled(forms, { name: 'Ana' });
      const { email = '', name, organizationId } = fields;
      await (bring === 'form'
        ? submit(forms, fields)
        : forms.call('POST', '/api/leads', { email, name, organizationId }));
      const before = await database.prisma.lead.findFirstOrThrow({ where: { email } });
      await submit(forms, await filled(forms, { ...forged, email }));
      expect(await database.prisma.lead.findFirstOrThrow({ where: { email } })).toEqual(before);
      const types = (await timelineOf(database, before.id)).map(({ type }) => type);
      expect(types).toEqual(['lead.created', 'lead.touched']);
    }
  });
});

describe('the same from a script', () => {
  test('is JSON', async ({ forms, database: { prisma } }) => {
    const email = 'script@example.com';
    const lead = { source: 'ADS', attributes: { utm: { source: 'ads' }, count: 2 } };
    const fields = { ...(await filled(forms, { email })), ...lead };
    expect(await forms.call('POST', '/forms/leads', fields)).toMatchObject(RECEIVED);
    expect(await prisma.lead.findFirstOrThrow({ where: { email } })).toMatchObject(lead);
  });

  test('is refused when it is no JSON, and not repeated', async ({ forms }) => {
    const answer = await forms.call('POST', '/forms/leads', '{"name":"secret-word"');
    expectProblem(answer, 400, 'malformed-body');
    expect(answer.text).not.toContain('secret-word');
  });
});

describe('the body', () => {
  test.for(['text/plain', 'multipart/form-data; boundary=x', `${URLENCODED}; charset=iso-8859-1`])(
    'is refused with 415 when it is declared as %s',
    async (type, { forms }) =>
      expectProblem(await submit(forms, await filled(forms), type), 415, 'unsupported-media-type'),
  );

  test('is refused with 413 when it is over 64 KiB', async ({ forms }) => {
    const empty = new URLSearchParams(await filled(forms, { 'attributes[m]': '' })).toString();
    const send = (size: number) => {
      const headers = { 'content-type': URLENCODED, 'content-length': String(size) };
      return forms.call('POST', '/forms/leads', empty + 'x'.repeat(size - empty.length), headers);
    };
    expectProblem(await send(MAX_FORM_BYTES + 1), 413, 'body-too-large');
    expect(await send(MAX_FORM_BYTES)).toMatchObject(RECEIVED);
  });

  test('is asked for with 400 when there is none', async ({ forms }) => {
    expectProblem(await forms.call('POST', '/forms/leads'), 400, 'malformed-body');
  });

  test('comes without query parameters', async ({ forms }) => {
    const answer = await forms.call('POST', '/forms/leads?name=Ana', await filled(forms));
    expectProblem(answer, 400, 'invalid-request', ['name']);
  });
});

describe('what a form does not tell', () => {
  test('is whether an e-mail is known: a second submission is kept, and answered as the first', async ({
    forms,
    database: { prisma },
  }) => {
    const email = 'known@example.com';
    const answers = [
      await submit(forms, await filled(forms, { email })),
      await submit(forms, await filled(forms, { email })),
    ];
    const seen = answers.map(({ status, text, headers }) => ({
      status,
      text,
      headers: [...headers.keys()].toSorted(),
    }));
    expect(seen[0]).toMatchObject(RECEIVED);
    expect(seen[1]).toEqual(seen[0]);
    const { id } = await prisma.lead.findFirstOrThrow({ where: { email } });
    const types = (await prisma.leadEvent.findMany({ where: { leadId: id }, orderBy: { seq: 'asc' } })).map(
      ({ type }) => type,
    );
    expect(types).toEqual(['lead.created', 'lead.touched']);
  });
});

describe('spam', () => {
  test.for([
    ['in a form', {}],
    ['in a form without a token', { token: '' }],
    ['in a form with a page to return to', { returnTo: `${SITE}/thanks` }],
  ] as const)(
    'that fills the hidden field looks accepted, and nothing is stored: %s',
    async ([, change], { forms, database }) => {
      const before = await countRows(database);
      const [spam, honest] = [
        await submit(forms, await filled(forms, { ...change, website: 'https://spam.example' })),
        await submit(forms, await filled(forms, { ...change, token: await tokenOf(forms) })),
      ];
      expect([spam.status, spam.text, [...spam.headers.keys()].toSorted()]).toEqual([
        honest.status,
        honest.text,
        [...honest.headers.keys()].toSorted(),
      ]);
      expect((await countRows(database)).lead).toBe(before.lead + 1);
      const dropped = forms.log.filter(({ msg }) => msg === 'form dropped');
      expect(dropped).toMatchObject([{ organizationId: 'org-123', reason: 'honeypot' }]);
      expect(JSON.stringify(forms.log)).not.toContain('@example.com');
    },
  );

  test('that comes faster than a person is told to wait, and taken afterwards', async ({ database }) => {
    const clock = { now: Date.now() };
    const formTokens = createFormTokens({
      readSecret: formSecretReader(database.pool),
      minAgeMs: 3_000,
      maxAgeMs: 60_000,
      now: () => clock.now,
    });
    const api = createTestApi(database, { slots: 0, formTokens });
    const before = await countRows(database);
    const fields = await filled(api);
    expectProblem(await submit(api, fields), 400, 'invalid-request', ['token']);
    expect(await countRows(database)).toEqual(before);
    clock.now += 3_000;
    expect(await submit(api, fields)).toMatchObject(RECEIVED);
    clock.now += 60_000;
    expectProblem(await submit(api, await filled(api, { token: fields['token'] ?? '' })), 400, 'invalid-request', [
      'token',
    ]);
    await api.close();
  });

  test.for(['', 'x', 'A'.repeat(43)])('that makes up a token is refused: %j', async (token, { forms, database }) => {
    const before = await countRows(database);
    expectProblem(await submit(forms, await filled(forms, { token })), 400, 'invalid-request', ['token']);
    expect(await countRows(database)).toEqual(before);
  });

  test('that uses a token again gets no second lead; a double click does no harm', async ({ forms, database }) => {
    const fields = await filled(forms);
    expect(await submit(forms, fields)).toMatchObject(RECEIVED);
    const before = await countRows(database);
    expect(await submit(forms, fields)).toMatchObject(RECEIVED);
    const again = await submit(forms, { ...fields, email: 'another@example.com' });
    expectProblem(again, 400, 'invalid-request', ['token']);
    expect(await countRows(database)).toEqual(before);
  });

  test('that does not stop is limited with 429, form and token together', async ({ database }) => {
    const api = createTestApi(database, { slots: 0, rateLimiter: createRateLimiter({ requests: 2, seconds: 60 }) });
    const fields = await filled(api);
    expect((await submit(api, fields)).status).toBe(201);
    expectProblem(await submit(api, fields), 429, 'rate-limited');
    await api.close();
  });
});

describe('when Postgres has a bad moment', () => {
  test('a form is answered with 409 while its token is being used', async ({ forms, database: { pool } }) => {
    const fields = await filled(forms);
    const other = await pool.connect();
    await other.query('BEGIN');
    await other.query(
      `INSERT INTO idempotency_key (organization_id, key, request_hash, expires_at) VALUES ('org-123', idempotency_id($1), 'x', now() + interval '1 hour')`,
      [`form:${fields['token'] ?? ''}`],
    );
    expectProblem(await submit(forms, fields), 409, 'request-running');
    await other.query('ROLLBACK');
    other.release();
    expect(await submit(forms, fields)).toMatchObject(RECEIVED);
  });

  test('a form is answered with 503, or 500, and its token can be used afterwards', async ({ forms, database }) => {
    const fields = await filled(forms);
    const pool = createPool({
      connectionString: `postgres://nobody@127.0.0.1:${await freePort()}/none`,
      ...{ max: 1, applicationName: 'nowhere', onError: () => undefined },
    });
    const readSecret = formSecretReader(database.pool);
    const formTokens = createFormTokens({ readSecret, minAgeMs: 0, maxAgeMs: 60_000 });
    const cutOff = createTestApi({ pool, prisma: database.prisma }, { slots: 0, formTokens });
    expectProblem(await submit(cutOff, fields), 503, 'unavailable');
    await cutOff.close();
    const unborn = createTestApi({ pool, prisma: database.prisma }, { slots: 0 });
    for (const path of ['/forms/token', '/forms/guard.js']) {
      expectProblem(await unborn.call('GET', path), 503, 'unavailable');
    }
    await unborn.close();
    await pool.end();

    await database.pool.query('ALTER FUNCTION intake_group(text, jsonb) RENAME TO elsewhere');
    expectProblem(await submit(forms, fields), 500, 'internal');
    await database.pool.query('ALTER FUNCTION elsewhere(text, jsonb) RENAME TO intake_group');
    expect(await submit(forms, fields)).toMatchObject(RECEIVED);
  });
});

describe('GET /forms/token', () => {
  test('asks Postgres once, and is not kept by anybody on the way', async ({ forms }) => {
    await tokenOf(forms);
    const statements = recordStatements();
    const { status, headers, body } = await forms.call('GET', '/forms/token');
    expect([status, headers.get('cache-control'), statements]).toEqual([200, 'no-store', []]);
    const iso = expect.stringMatching(/^\d{4}-.*Z$/) as string;
    expect(body).toEqual({ token: expect.stringMatching(/^[\w-]{43}$/) as string, usableFrom: iso, expiresAt: iso });
  });
});

describe('GET /forms/guard.js', () => {
  test('is a script with a token of its own, which pages of any site may include', async ({ forms }) => {
    const answers = [await forms.call('GET', '/forms/guard.js'), await forms.call('GET', '/forms/guard.js')];
    for (const { status, headers } of answers) {
      expect([
        status,
        ...['content-type', 'cache-control', 'cross-origin-resource-policy'].map((n) => headers.get(n)),
      ]).toEqual([...[200, 'text/javascript', 'no-store', 'cross-origin']]);
    }
    const tokens = answers.map(({ text }) => /'([\w-]{43})'/.exec(text)?.[1]);
    expect(new Set(tokens).size).toBe(2);
    expect(await submit(forms, await filled(forms, { token: tokens[0] ?? '' }))).toMatchObject(RECEIVED);
  });
});
