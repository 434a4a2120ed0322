import type { Context } from 'hono';
import type { OpsClient } from '../ops/client.ts';
import type { View } from './layout.tsx';
import type { Reader } from './reader.ts';
import type { Session } from './session.ts';
import { type Language, LANGUAGES, toLanguage, WORDS } from './words/words.ts';

/** What middleware leaves for the pages. */
export interface BoardEnv {
  Variables: { language: string; session: Session | undefined; client: OpsClient; reader: () => Reader };
}

export type BoardContext = Context<BoardEnv>;

/** How a page is shown to whoever asks. @param path of the page, from `/board` on */
export function viewOf(c: BoardContext, path = c.req.path): View {
  const language = toLanguage(c.get('language')) ?? LANGUAGES[0];
  const hrefIn = (other: Language) => {
    const query = new URLSearchParams(c.req.query());
    query.set('lang', other);
    return `${path}?${query.toString()}`;
  };
  return { language, words: WORDS[language], path, hrefIn, signedIn: c.var.session !== undefined };
}
