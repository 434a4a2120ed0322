import type { JSX } from 'hono/jsx/jsx-runtime';
import type { View } from './layout.tsx';
import { FailureTable, RetryProgress } from './pages/failures.tsx';
import { LeadDetails } from './pages/lead.tsx';
import { Now } from './pages/now.tsx';
import { QueueTables } from './pages/queues.tsx';
import type { Reader } from './reader.ts';
import type { Words } from './words/en.ts';

/** A page that is kept up to date while somebody looks at it. */
export interface LivePage {
  titleOf: (words: Words) => string;
  /** @throws OpsError */
  show: (view: View, reader: Reader) => Promise<JSX.Element>;
}

const ID = /^\/board\/(leads|retries)\/([\da-zA-Z-]{1,64})$/;

/** @param path of a page, from `/board` on */
export function findLivePage(path: string): LivePage | undefined {
  const [, kind, id = ''] = ID.exec(path) ?? [];
  if (kind === 'leads')
    return {
      titleOf: (words) => `${words.lead} ${id}`,
      show: async (view, reader) => <LeadDetails view={view} lead={await reader.lead(id)} />,
    };
  if (kind === 'retries')
    return {
      titleOf: (words) => words.retry,
      show: async (view, reader) => <RetryProgress view={view} retry={await reader.retry(id)} />,
    };
  return PAGES[path];
}

const PAGES: Record<string, LivePage | undefined> = {
  '/board': {
    titleOf: (words) => words.now,
    async show(view, reader) {
      const [activity, queues] = await Promise.all([reader.activity(), reader.queues()]);
      return <Now view={view} activity={activity} queues={queues} />;
    },
  },
  '/board/queues': {
    titleOf: (words) => words.queues,
    show: async (view, reader) => <QueueTables view={view} queues={await reader.queues()} />,
  },
  '/board/failures': {
    titleOf: (words) => words.failures,
    show: async (view, reader) => <FailureTable view={view} failures={await reader.failures()} />,
  },
};
