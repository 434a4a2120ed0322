import type { Hono } from 'hono';
import { deleteCookie, setCookie } from 'hono/cookie';
import { z } from 'zod';
import { OpsError, type OpsClient } from '../ops/client.ts';
import { type BoardContext, type BoardEnv, viewOf } from './context.ts';
import { Page } from './layout.tsx';
import { SignIn } from './pages/sign-in.tsx';
import { SESSION_HOURS, type Session, type Sessions } from './session.ts';

/** Where a session is kept. */
export const COOKIE = 'board';
export const SIGN_IN = '/board/sign-in';
export const UNAUTHENTICATED = 401;

const signIn = z.object({ key: z.string().trim().min(1), actor: z.string().trim() });

interface SignInDependencies {
  sessions: Sessions;
  clientOf: (session: Partial<Session>) => OpsClient;
}

/** `/board/sign-in` and `/board/sign-out` */
export function signInRoutes(app: Hono<BoardEnv>, { sessions, clientOf }: SignInDependencies): void {
  /** Whether the API works without keys: then whoever reaches this board may do everything. */
  async function isOpen(): Promise<boolean> {
    return clientOf({})
      .call('GET', '/ops/activity?minutes=1')
      .then(
        () => true,
        (err: unknown) => {
          if (err instanceof OpsError && err.status === UNAUTHENTICATED) return false;
          throw err;
        },
      );
  }

  app.get(SIGN_IN, (c) => c.html(signInPage(c)));
  app.post(SIGN_IN, async (c) => {
    const form = signIn.safeParse(await c.req.parseBody());
    if (!form.success) return c.html(signInPage(c), 400);
    const { key, actor } = form.data;
    const session = { key, ...(actor !== '' && { actor }) };
    try {
      if (await isOpen()) throw new OpsError('The API works without keys: open this board as http://localhost.', 403);
      await clientOf(session).call('GET', '/ops/activity?minutes=1');
    } catch (err) {
      if (err instanceof OpsError) return c.html(signInPage(c, err.message), 403);
      throw err;
    }
    setCookie(c, COOKIE, sessions.seal(session), {
      httpOnly: true,
      sameSite: 'Strict',
      path: '/board',
      secure: new URL(c.req.url).protocol === 'https:' || c.req.header('x-forwarded-proto') === 'https',
      maxAge: SESSION_HOURS * 3_600,
    });
    return c.redirect('/board', 303);
  });
  app.post('/board/sign-out', (c) => {
    deleteCookie(c, COOKIE, { path: '/board' });
    return c.redirect(SIGN_IN, 303);
  });
}

function signInPage(c: BoardContext, problem?: string) {
  const view = viewOf(c, SIGN_IN);
  return (
    <Page view={view} title={view.words.signIn}>
      <SignIn view={view} problem={problem} />
    </Page>
  );
}
