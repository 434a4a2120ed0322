import { onTestFinished } from 'vitest';
import { createBoard } from '../../src/board/board.tsx';
import { recordLog } from './log.ts';
import { listen } from './server.ts';

/** A board on a port of its own, about the API at `opsUrl`, until the test ends. */
export async function startBoard(opsUrl: string) {
  const { log, lines } = recordLog();
  const stopping = new AbortController();
  const app = createBoard({ opsUrl, log, stopping: stopping.signal });
  const server = await listen({ app });
  onTestFinished(async () => {
    stopping.abort();
    await server.close();
  });
  return { url: server.url, lines };
}

/** What a page says, without its marks. */
export const textOf = (html: string) => html.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ');
