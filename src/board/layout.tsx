import type { Child } from 'hono/jsx';
import type { Words } from './words/en.ts';
import { LANGUAGES, type Language, WORDS } from './words/words.ts';

export interface View {
  language: Language;
  words: Words;
  /** Of the page, from `/board` on. */
  path: string;
  /** The same in another language. */
  hrefIn: (language: Language) => string;
  /** Somebody has signed in, and can sign out. */
  signedIn: boolean;
}

const PAGES = [
  ['/board', 'now'],
  ['/board/queues', 'queues'],
  ['/board/failures', 'failures'],
] as const;

export interface PageProps {
  view: View;
  title: string;
  /** What an event stream brings up to date: its children are replaced one by one, by their ids. */
  live?: Child;
  children?: Child;
}

/** The page around what it shows. Nothing of it comes from elsewhere, and nothing in it is a script or a style. */
export function Page({ view: { language, words, path, hrefIn, signedIn }, title, live, children }: PageProps) {
  const streamed = live !== undefined;
  return (
    <html lang={language}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{`${title} · ${words.board}`}</title>
        <link rel="stylesheet" href="/board/board.css" />
        <link rel="icon" href="data:," />
        {streamed && <script src="/board/live.js" defer></script>}
      </head>
      <body>
        <a class="skip" href="#content">
          {words.skip}
        </a>
        <header>
          <strong>{words.board}</strong>
          <nav aria-label={words.board}>
            {PAGES.map(([href, name]) => (
              <a href={href} aria-current={href === path ? 'page' : undefined}>
                {words[name]}
              </a>
            ))}
          </nav>
          <form action="/board/leads" class="find">
            <input name="id" aria-label={words.findLead} placeholder={words.findLead} required />
            <button>{words.open}</button>
          </form>
          <span class="languages">
            {LANGUAGES.filter((other) => other !== language).map((other) => (
              <a href={hrefIn(other)} lang={other} hreflang={other}>
                {WORDS[other].language}
              </a>
            ))}
          </span>
          {signedIn && (
            <form action="/board/sign-out" method="post">
              <button>{words.signOut}</button>
            </form>
          )}
        </header>
        <main id="content">
          <h1>
            {title}
            {streamed && (
              <span
                id="state"
                class="state"
                role="status"
                data-live={words.live}
                data-offline={words.offline}
                data-problem={words.problem}
              ></span>
            )}
          </h1>
          {streamed && (
            <div id="live" data-stream={`/board/live?page=${encodeURIComponent(path)}`}>
              {live}
            </div>
          )}
          {children}
        </main>
      </body>
    </html>
  );
}

export interface TableProps {
  /** Tells tables of a page apart. */
  id: string;
  caption: string;
  heads: string[];
  rows: Child[][];
  /** What stands in place of rows. */
  empty?: string;
}

/** A table that scrolls within itself where the screen is narrow. */
export function Table({ id, caption, heads, rows, empty }: TableProps) {
  return (
    <section id={id}>
      <h2>{caption}</h2>
      {rows.length === 0 && empty !== undefined ? (
        <p>{empty}</p>
      ) : (
        <div class="scroll" tabindex={0} role="region" aria-label={caption}>
          <table>
            <thead>
              <tr>
                {heads.map((head) => (
                  <th scope="col">{head}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((cells) => (
                <tr>
                  {cells.map((cell) => (
                    <td>{cell}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

/** A moment, to the second, by UTC: all who look see the same. */
export const Time = ({ at }: { at: string }) => <time datetime={at}>{`${at.slice(0, 10)} ${at.slice(11, 19)}`}</time>;

export const toMilliseconds = (seconds: number) => Math.round(seconds * 1_000);
