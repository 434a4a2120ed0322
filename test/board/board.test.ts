import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { describe, expect, onTestFinished } from 'vitest';
import { revokeOperatorKey } from '../../src/api-keys/operator-keys.ts';
import type { LeadOnboarding } from '../../src/ops/answers.ts';
import { describeLead } from '../../src/ops/text.ts';
import { testWithoutStarts as base } from '../support/api.ts';
import { FOUR_ERRORS, storeFourErrors } from '../support/attempts.ts';
import { startBoard, textOf } from '../support/board.ts';
import { storeFailed } from '../support/failures.ts';
import { createKeyedApi, makeKey, makeOperatorKey } from '../support/keyed-api.ts';
import { takeIn } from '../support/onboarding.ts';
import { idOf } from '../support/operations.ts';
import { listen } from '../support/server.ts';

const HOSTILE = '<img src=x onerror=alert(1)>"\'&';

interface Fixtures {
  /** A board about an API that works without keys. */
  board: Awaited<ReturnType<typeof startBoard>>;
}

const test = base.extend<Fixtures>({
  board: async ({ api }, use) => {
    const server = await listen(api);
    await use(await startBoard(server.url));
    await server.close();
  },
});

/** Gets a page in English. */
async function get(url: string, headers: Record<string, string> = {}) {
  const answer = await fetch(url, { redirect: 'manual', headers: { 'accept-language': 'en', ...headers } });
  const html = await answer.text();
  return { status: answer.status, headers: answer.headers, html, text: textOf(html) };
}

const post = (url: string, form: Record<string, string>, headers: Record<string, string> = {}) =>
  fetch(url, {
    method: 'POST',
    redirect: 'manual',
    headers: { origin: new URL(url).origin, 'accept-language': 'en', ...headers },
    body: new URLSearchParams(form),
  });

/** Calls the board by a name that leads to it, as a page of that name would. */
async function requestAs(name: string, board: string, method: string, path: string, body = '') {
  const headers = { host: name, origin: `http://${name}`, 'content-type': 'application/x-www-form-urlencoded' };
  const sent = request(`${board}${path}`, { method, headers }).end(body);
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  answer.resume();
  return { status: answer.statusCode, location: answer.headers.location };
}

/** The events of a page's stream, as they come. */
async function* eventsOf(url: string, cookie = '') {
  const stopping = new AbortController();
  const answer = await fetch(url, { signal: stopping.signal, headers: { cookie, 'accept-language': 'en' } });
  try {
    let rest = '';
    for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const blocks = (rest + chunk).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const of = (name: string) => [...block.matchAll(new RegExp(`^${name}: ?(.*)$`, 'gm'))].map(([, text]) => text);
        if (of('event').length > 0) yield { event: of('event')[0], data: of('data').join('\n') };
      }
    }
  } finally {
    stopping.abort();
  }
}

describe('the board', () => {
  test('shows where leads are, what waits and what failed, and where a lead has been', async ({ board, database }) => {
    const { leadId } = await takeIn(database, { organizationId: 'org-9' }, 600_000);
    const [failed = ''] = await storeFailed(database, {
      organizationId: 'org-7',
      leads: 3,
      step: 'enrich',
      errorType: 'crm:http-503',
    });
    const now = await get(`${board.url}/board`);
    expect(now.status).toBe(200);
    expect(now.text).toMatch(/Created 1 .*org-9.* Notified, waiting 0 none/);
    expect(now.text).toContain('Need a look 3');
    expect(now.html).toContain(`href="/board/leads/${leadId}"`);
    expect((await get(`${board.url}/board/queues`)).text).toMatch(/lead-onboarding .* notification .* lead .* webhook/);
    expect((await get(`${board.url}/board/failures`)).text).toContain('3 enrich crm:http-503 org-7');
    const lead = await get(`${board.url}/board/leads?id=${failed}`);
    expect(lead.headers.get('location')).toBe(`/board/leads/${failed}`);
    const details = await get(`${board.url}/board/leads/${failed}`);
    expect(details.text).toMatch(/org-7 State PARTIAL, round 1/);
    expect(details.text).toContain('1/enrichment enrichment.partial');
    for (const { html } of [now, details]) expect(html).not.toMatch(/Hidden|hidden\.example|João|98765-?4321/);
    expect((await get(`${board.url}/board/leads/${randomUUID()}`)).status).toBe(404);
    expect((await get(`${board.url}/board/nowhere`)).status).toBe(404);
    expect(board.lines).toEqual([]);
  });

  test('shows each of four attempts that failed of something else, with its times and its worker', async ({
    board,
    api,
    database,
  }) => {
    const { leadId } = await takeIn(database, {}, 600_000);
    await storeFourErrors(database, leadId);
    const { text } = await get(`${board.url}/board/leads/${leadId}`);
    const { body } = await api.call<LeadOnboarding>('GET', `/ops/leads/${leadId}`);
    const printed = describeLead(body);
    expect(body.attempts).toHaveLength(FOUR_ERRORS.length + 1);
    for (const [index, { type, message }] of FOUR_ERRORS.entries()) {
      expect(body.attempts[index]).toMatchObject({ attempt: index + 1, worker: '1@test', error: { type, message } });
      const row = new RegExp(`enrichLead\\W+(attempt )?${index + 1} +failed .*1@test +${type}: ${message}`);
      expect(text).toMatch(row);
      expect(printed).toMatch(row);
    }
  });

  test('speaks Portuguese unless it is asked for English, and remembers', async ({ board }) => {
    const languageOf = async (path: string, headers: Record<string, string>) => {
      const { html, headers: answered } = await get(`${board.url}${path}`, headers);
      return { lang: /<html lang="([\w-]+)"/.exec(html)?.[1], cookie: answered.get('set-cookie') ?? '' };
    };
    expect((await languageOf('/board', { 'accept-language': 'fr' })).lang).toBe('pt-BR');
    expect((await languageOf('/board', { 'accept-language': 'pt-PT,pt;q=0.9' })).lang).toBe('pt-BR');
    const asked = await languageOf('/board?lang=en', { 'accept-language': 'pt-BR' });
    expect(asked.lang).toBe('en');
    const cookie = asked.cookie.split(';')[0] ?? '';
    expect((await languageOf('/board', { 'accept-language': 'pt-BR', cookie })).lang).toBe('en');
  });

  test('escapes what others have named, and loads nothing from elsewhere', async ({ board, database }) => {
    const [failed = ''] = await storeFailed(database, { organizationId: HOSTILE, leads: 1, errorType: HOSTILE });
    const pages = ['', '/failures', `/leads/${failed}`, `/nowhere/${encodeURIComponent(HOSTILE)}`];
    for (const path of pages) {
      const { html, headers } = await get(`${board.url}/board${path}`);
      expect(html).not.toContain('<img');
      expect(html.match(/(?:src|href|action)="(?!\/|#|data:,|http:\/\/127\.0\.0\.1:8233\/)[^"]*"/g)).toBeNull();
      expect(html).not.toMatch(/<style|style=|<script(?! src="\/board\/live\.js")| on\w+="/);
      const policy = headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'none'");
      expect(policy).not.toMatch(/unsafe|https?:|\*/);
    }
  });

  test('pauses a queue and retries a group, with who and why in the audit', async ({ board, api, database }) => {
    for (const command of ['pause', 'rate', 'resume']) {
      const form = { queue: 'notification', command, perSecond: '2', reason: 'CRM' };
      const done = await post(`${board.url}/board/queues`, form);
      expect([done.status, done.headers.get('location')]).toEqual([303, '/board/queues']);
    }

    const group = { step: 'score', errorType: 'Timeout:START_TO_CLOSE', organizationId: `org-${randomUUID()}` };
    await storeFailed(database, { ...group, step: 'score', leads: 4 });
    const dryRun = await get(`${board.url}/board/failures/retry?${new URLSearchParams(group).toString()}`);
    expect(dryRun.text).toContain('So many leads would be retried 4');
    const begun = await post(`${board.url}/board/retries`, { ...group, perSecond: '10', reason: 'It works again' });
    const progress = begun.headers.get('location') ?? '';
    expect(progress).toMatch(/^\/board\/retries\/[\da-f-]{36}$/);
    expect((await get(`${board.url}${progress}`)).text).toMatch(/RUNNING Leads 0 \/ 4 .*It works again/);
    const again = await post(`${board.url}/board/retries`, { ...group, perSecond: '10', reason: 'Twice' });
    expect(again.status).toBe(409);
    expect(textOf(await again.text())).toContain('is under way');
    const canceled = await post(`${board.url}${progress}`, { command: 'cancel', reason: 'Enough' });
    expect(canceled.headers.get('location')).toBe(progress);
    await database.pool.query('UPDATE bulk_retry SET finished_at = now() WHERE finished_at IS NULL');

    const { text } = await api.call<string>('GET', '/ops/audit');
    for (const action of ['queue.pause', 'queue.rate', 'queue.resume', 'retry.started', 'retry.canceled'])
      expect(text).toContain(`"${action}"`);
    for (const form of [
      {},
      { queue: 'lead', command: 'stop', reason: 'x' },
      { queue: 'lead', command: 'pause', reason: ' ' },
    ])
      expect((await post(`${board.url}/board/queues`, form)).status).toBe(400);
  });

  test('takes no form of another site, and shows nothing under a foreign name', async ({ board, api }) => {
    const form = { queue: 'notification', command: 'pause', reason: 'x' };
    for (const headers of [{ origin: 'https://evil.example' }, { origin: 'null' }])
      expect((await post(`${board.url}/board/queues`, form, headers)).status).toBe(403);
    expect((await api.call<string>('GET', '/ops/audit')).text).not.toContain('"x"');

    const foreign = await requestAs('evil.example', board.url, 'GET', '/board');
    expect(foreign).toEqual({ status: 302, location: '/board/sign-in' });
    const guess = await requestAs('evil.example', board.url, 'POST', '/board/sign-in', 'key=anything&actor=');
    expect(guess).toEqual({ status: 403, location: undefined });
  });

  test('reads no more of a body than a form has', async ({ board }) => {
    const large = 'x'.repeat(70_000);
    expect((await post(`${board.url}/board/sign-in`, { key: large, actor: '' })).status).toBe(413);
    const sent = request(`${board.url}/board/sign-in`, {
      method: 'POST',
      headers: { origin: board.url, 'content-type': 'application/x-www-form-urlencoded' },
    });
    for (let part = 0; part < 10; part += 1) sent.write(large); // in chunks: nobody is told how much there is
    sent.end();
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    answer.resume();
    expect(answer.statusCode).toBe(413);
  });

  test('has room for 100 open pages, whoever asks for the heads of streams', async ({ board }) => {
    const stream = `${board.url}/board/live?page=%2Fboard`;
    for (let i = 0; i < 100; i += 1) expect((await fetch(stream, { method: 'HEAD' })).status).toBe(200);
    const events = eventsOf(stream);
    expect(await events.next()).toMatchObject({ value: { event: 'show' } });
    await events.return(undefined);
  });

  test('leads from a page to the same in another language, and takes no part of a group for all', async ({
    board,
    database,
  }) => {
    await storeFailed(database, { organizationId: 'org-1', leads: 2, step: 'score', errorType: 'E' });
    await storeFailed(database, { organizationId: 'org-2', leads: 3, step: 'score', errorType: 'E' });
    const group = 'step=score&errorType=E&organizationId=org-1';
    const english = await get(`${board.url}/board/failures/retry?${group}`);
    const [, href = ''] = /<a href="([^"]*)" lang="pt-BR"/.exec(english.html) ?? [];
    const portuguese = await get(board.url + href.replaceAll('&amp;', '&'));
    const counted = ({ html }: { html: string }) => /id="would-retry"[^>]*>[^<]*?(\d+)/.exec(html)?.[1];
    expect([counted(english), counted(portuguese)]).toEqual(['2', '2']);
    expect((await get(`${board.url}/board/failures/retry`)).status).toBe(400);
  });

  test('says that the API is away, and is up to date again when it is back', async ({ api }) => {
    const first = await listen(api);
    const board = await startBoard(first.url);
    const events = eventsOf(`${board.url}/board/live?page=%2Fboard`);
    expect(await events.next()).toMatchObject({ value: { event: 'show' } });
    await first.close();
    expect(await events.next()).toMatchObject({ value: { event: 'problem' } });
    const page = await get(`${board.url}/board`);
    expect(page.status).toBe(503);
    expect(page.html).toContain('data-stream="/board/live?page=%2Fboard"'); // which brings it
    const unlike = await get(`${board.url}/board/failures/retry?step=score&errorType=E&organizationId=org-1`);
    expect([unlike.status, unlike.text.includes('Nobody answers at')]).toEqual([503, true]);
    const again = await listen(api, {}, first.port);
    onTestFinished(() => again.close());
    expect(await events.next()).toMatchObject({ value: { event: 'show' } });
    await events.return(undefined);
  });

  test('sends what has changed, and nothing else', async ({ board, database }) => {
    const events = eventsOf(`${board.url}/board/live?page=%2Fboard`);
    await events.next();
    const next = events.next();
    const { leadId } = await takeIn(database, {}, 600_000);
    expect((await next).value).toMatchObject({ event: 'show', data: expect.stringContaining(leadId) as string });
    await events.return(undefined);
  });
});

describe('where the API wants keys, the board', () => {
  test("shows what an operator's key opens, for as long as it does", async ({ database }) => {
    const keyed = createKeyedApi(database, {}, undefined);
    const server = await listen(keyed);
    onTestFinished(async () => {
      await server.close();
      await keyed.close();
    });
    const board = await startBoard(server.url);
    const page = await get(`${board.url}/board`);
    expect([page.status, page.headers.get('location')]).toEqual([302, '/board/sign-in']);

    for (const key of ['nonsense', await makeKey(database)]) {
      const refused = await post(`${board.url}/board/sign-in`, { key, actor: '' });
      expect(refused.status).toBe(403);
      expect(refused.headers.get('set-cookie') ?? '').not.toContain('board=');
    }
    const key = await makeOperatorKey(database);
    const unheard = await post(`${board.url}/board/sign-in`, { key, actor: 'Łukasz' });
    expect([unheard.status, await unheard.text()]).toEqual([403, expect.stringContaining('outside of Latin-1')]);
    const entered = await post(`${board.url}/board/sign-in`, { key, actor: 'ops-ana' });
    const cookies = entered.headers.getSetCookie().find((line) => line.startsWith('board=')) ?? '';
    expect(cookies).toMatch(/HttpOnly/);
    expect(cookies).toMatch(/SameSite=Strict/);
    expect(cookies).not.toContain(key);
    const [cookie = ''] = cookies.split(';');
    const shown = await get(`${board.url}/board`, { cookie });
    expect(shown.status).toBe(200);
    expect(shown.text).toContain('Sign out');

    const group = { step: 'score', errorType: 'E', organizationId: 'org-0', perSecond: '1', reason: 'why' };
    expect((await post(`${board.url}/board/retries`, group, { cookie })).status).toBe(303);
    const audit = await keyed.as(key)<string>('GET', '/ops/audit');
    expect(audit.text).toContain('"ops-ana"');

    const events = eventsOf(`${board.url}/board/live?page=%2Fboard`, cookie);
    expect(await events.next()).toMatchObject({ value: { event: 'show' } });
    await revokeOperatorKey(database.prisma, idOf(key));
    for (let last: string | undefined; last !== 'gone'; last = (await events.next()).value?.event);
    expect((await get(`${board.url}/board`, { cookie })).headers.get('location')).toBe('/board/sign-in');
  });
});
