import { setImmediate as nextTurn } from 'node:timers/promises';
import { Parser } from 'htmlparser2';
import { FetchError } from '../../safe-fetch/fetch-error.ts';
import type { Page } from './page.ts';
import { collectPage } from './collect-page.ts';

/** Characters parsed before others get their turn. */
const SLICE = 16 * 1024;

/**
 * Reads an HTML page as a stream of tags: no tree is built, and nothing of the page is run or fetched.
 * @throws FetchError `ResponseMalformed` when it nests deeper than pages do; the signal's reason
 */
export async function readPage(html: string, signal: AbortSignal): Promise<Page> {
  const { page, handler } = collectPage();
  const parser = new Parser(handler);
  for (let from = 0; from < html.length; from += SLICE) {
    signal.throwIfAborted();
    parser.write(html.slice(from, from + SLICE));
    await nextTurn();
  }
  parser.end();
  return page;
}

const PRESCAN_BYTES = 1_024;

/** Bytes → text, by the charset that header or page name; UTF-8 when they name none that exists. */
export function decodePage(body: Buffer, contentType: string | undefined): string {
  const inHeader = /charset\s*=\s*"?([\w-]{1,40})/i.exec(contentType ?? '')?.[1];
  const inPage = /<meta[^>]{0,200}charset\s*=\s*["']?([\w-]{1,40})/i.exec(
    body.toString('latin1', 0, PRESCAN_BYTES),
  )?.[1];
  try {
    return new TextDecoder(inHeader ?? inPage ?? 'utf-8').decode(body);
  } catch (err) {
    if (err instanceof RangeError) return new TextDecoder().decode(body);
    throw new FetchError('ResponseMalformed');
  }
}
