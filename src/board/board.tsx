import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { getCookie } from 'hono/cookie';
import { csrf } from 'hono/csrf';
import { languageDetector } from 'hono/language';
import { secureHeaders } from 'hono/secure-headers';
import type { Child } from 'hono/jsx';
import { z } from 'zod';
import type { RetryDryRun } from '../ops/answers.ts';
import { createOpsClient, OpsError } from '../ops/client.ts';
import { LIMITABLE_QUEUES } from '../ops/queue-limit.ts';
import { isLoopbackName } from '../safe-fetch/loopback.ts';
import type { Logger } from '../telemetry/logger.ts';
import { actionRoutes, groupFilter } from './actions.ts';
import { type BoardContext, type BoardEnv, viewOf } from './context.ts';
import { Page } from './layout.tsx';
import { LIVE_SCRIPT } from './live-script.ts';
import { findLivePage } from './live-pages.tsx';
import { streamPage } from './live-stream.ts';
import { RetryCommands, RetryForm } from './pages/failures.tsx';
import { LimitForm } from './pages/queues.tsx';
import { createReaders } from './readers.ts';
import { createSessions, type Session } from './session.ts';
import { COOKIE, SIGN_IN, signInRoutes, UNAUTHENTICATED } from './sign-in.tsx';
import { STYLE } from './style.ts';
import { LANGUAGES, toLanguage } from './words/words.ts';

export interface BoardOptions {
  /** Where the API is whose `/ops` is shown. */
  opsUrl: string;
  log: Logger;
  /** Aborts when the process ends, and with it every stream. */
  stopping: AbortSignal;
}

/** Of a form: it is typed by a person. */
const MAX_FORM_BYTES = 64 * 1024;

/** What the API says of a caller's own doing; anything else is that it cannot now. */
const SHOWN_STATUSES = [400, 401, 403, 404, 409, 413, 429] as const;

/**
 * Pages for operators about what the API's `/ops` answers, and no more: whoever looks does so with their own key, as with
 * `npm run ops`. Has neither a database nor a Temporal of its own.
 */
export function createBoard({ opsUrl, log, stopping }: BoardOptions): Hono<BoardEnv> {
  const sessions = createSessions();
  const readers = createReaders();
  const clientOf = ({ key, actor }: Partial<Session>) => createOpsClient({ url: opsUrl, key, actor });

  const app = new Hono<BoardEnv>();
  app.use(
    secureHeaders({
      contentSecurityPolicy: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        connectSrc: ["'self'"],
        imgSrc: ['data:'],
        formAction: ["'self'"],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
      },
      xFrameOptions: 'DENY',
    }),
  );
  for (const path of ['/healthz', '/readyz']) app.get(path, (c) => c.json({ status: 'ok' }));
  app.get('/', (c) => c.redirect('/board'));
  app.get('/board/board.css', (c) => c.body(STYLE, 200, { 'content-type': 'text/css; charset=utf-8' }));
  app.get('/board/live.js', (c) => c.body(LIVE_SCRIPT, 200, { 'content-type': 'text/javascript; charset=utf-8' }));
  app.use(
    languageDetector({
      order: ['querystring', 'cookie', 'header'],
      lookupQueryString: 'lang',
      lookupCookie: 'lang',
      caches: ['cookie'],
      cookieOptions: { sameSite: 'Strict', path: '/board', secure: false, httpOnly: true },
      supportedLanguages: [...LANGUAGES],
      fallbackLanguage: LANGUAGES[0],
      convertDetectedLanguage: (asked) => toLanguage(asked) ?? asked,
    }),
    csrf(),
    bodyLimit({ maxSize: MAX_FORM_BYTES }),
    async (c, next) => {
      c.header('cache-control', 'no-store');
      const session = sessions.open(getCookie(c, COOKIE) ?? '');
      // A foreign name that leads here is DNS rebinding: without a session its page would be shown what it likes.
      if (!session && !isLoopbackName(new URL(c.req.url).hostname) && c.req.path !== SIGN_IN)
        return c.redirect(SIGN_IN);
      c.set('session', session);
      c.set('client', clientOf(session ?? {}));
      c.set('reader', () => readers.of(session?.key ?? '', () => clientOf(session ?? {})));
      return next();
    },
  );

  signInRoutes(app, { sessions, clientOf });
  app.get('/board/live', (c) =>
    streamPage(c, { view: viewOf(c, c.req.query('page') ?? ''), reader: c.var.reader, log, stopping }),
  );

  app.get('/board/leads', (c) => c.redirect(`/board/leads/${encodeURIComponent((c.req.query('id') ?? '').trim())}`));
  app.get('/board', (c) => show(c));
  app.get('/board/queues', (c) => show(c, <LimitForm view={viewOf(c)} queues={LIMITABLE_QUEUES} />));
  app.get('/board/failures', (c) => show(c));
  app.get('/board/leads/:id', (c) => show(c));
  app.get('/board/retries/:id', (c) => show(c, <RetryCommands view={viewOf(c)} id={c.req.param('id')} />));
  app.get('/board/failures/retry', async (c) => {
    const filter = groupFilter.parse(c.req.query());
    const dryRun = await c.var.client.call<RetryDryRun>('POST', '/ops/retries', { filter });
    const view = viewOf(c);
    return c.html(
      <Page view={view} title={view.words.retry}>
        <RetryForm view={view} filter={filter} dryRun={dryRun} />
      </Page>,
    );
  });

  actionRoutes(app);
  app.notFound((c) => c.html(problemPage(c, viewOf(c).words.notFound), 404));
  app.onError((err, c) => {
    if (err instanceof OpsError) {
      if (err.status === UNAUTHENTICATED) return c.redirect(SIGN_IN);
      return c.html(problemPage(c, err.message), SHOWN_STATUSES.find((status) => status === err.status) ?? 503);
    }
    if (err instanceof z.ZodError) return c.html(problemPage(c, z.prettifyError(err)), 400);
    if ('getResponse' in err) return err.getResponse();
    log.error({ err }, 'page not made');
    return c.html(problemPage(c, 'Internal error'), 500);
  });
  return app;
}

const isCallersDoing = ({ status }: OpsError) => SHOWN_STATUSES.some((known) => known === status);

/** A page that is kept up to date, with what stands below it. */
async function show(c: BoardContext, below?: Child) {
  const view = viewOf(c);
  const page = findLivePage(view.path);
  if (!page) return c.notFound();
  const live = await page.show(view, c.var.reader()).catch((err: unknown) => {
    if (err instanceof OpsError && !isCallersDoing(err)) return undefined; // the stream brings it as soon as it can be had
    throw err;
  });
  return c.html(
    <Page view={view} title={page.titleOf(view.words)} live={live ?? ''}>
      {below}
    </Page>,
    live === undefined ? 503 : 200,
  );
}

function problemPage(c: BoardContext, problem: string) {
  const view = viewOf(c);
  return (
    <Page view={view} title={view.words.board}>
      <p role="alert">{problem}</p>
    </Page>
  );
}
