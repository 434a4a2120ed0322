import { emailKindOf } from '../email-kind.ts';
import { FetchError } from '../../safe-fetch/fetch-error.ts';
import { retryAfter } from '../../safe-fetch/retry-after.ts';
import type { Fetched, SafeFetch } from '../../safe-fetch/safe-fetch.ts';
import { hostOf } from '../../safe-fetch/target.ts';
import type { Answer, OutsideContext } from '../provider.ts';
import { robotsAllow } from './robots.ts';

/** Our name in robots.txt. */
export const ROBOT = 'lead-onboarding';
const MAX_ROBOTS_BYTES = 512 * 1024; // RFC 9309, section 2.5: no less than 500 KiB

/** A visit that ends with an answer instead of a page. */
export class VisitOver extends Error {
  override name = 'VisitOver';
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(answer.kind);
    this.answer = answer;
  }
}

export interface Visit {
  context: OutsideContext;
  /** Milliseconds that are left, for all of the visit. */
  left: () => number;
}

/**
 * GETs a page, through redirects, from sites that may be visited: not those of mail providers, and not against robots.txt.
 * @throws VisitOver, FetchError, or the signal's reason
 */
export async function visit(fetch: SafeFetch, start: URL, { context, left }: Visit): Promise<Fetched> {
  const options = { signal: context.signal, headers: { accept: 'text/html,application/xhtml+xml' } };
  /** Of each origin on the way. */
  const robots = new Map<string, string>();
  const page = await fetch(start, {
    ...options,
    withinMs: left(),
    wants: (status, { 'content-type': type = '' }) => status < 300 && /^(text\/html|application\/xhtml)/i.test(type),
    beforeRequest: async (url) => {
      refuseMailProvider(url);
      const rules = robots.get(url.origin) ?? (await readRobots(fetch, url, { context, left }));
      robots.set(url.origin, rules);
      if (!robotsAllow(rules, ROBOT, url.pathname + url.search)) throw new VisitOver({ kind: 'nothing' });
      await context.takeCall();
    },
  });
  endOnRetryAfter(page, context.now());
  return page;
}

/** The pages of who hands out mailboxes say nothing of a company that has one. */
function refuseMailProvider(url: URL): void {
  const kind = emailKindOf(hostOf(url))?.value;
  if (kind === 'FREE' || kind === 'DISPOSABLE') throw new VisitOver({ kind: 'nothing' });
}

/** @returns the text of a site's robots.txt, empty when it has none */
async function readRobots(fetch: SafeFetch, url: URL, { context, left }: Visit): Promise<string> {
  const robots = await fetch(new URL('/robots.txt', url), {
    signal: context.signal,
    withinMs: left(),
    wants: (status) => status < 300,
    beforeRequest: (hop) => {
      refuseMailProvider(hop);
      return context.takeCall();
    },
  }).catch((err: unknown) => {
    // Too many redirects count as no robots.txt, RFC 9309, section 2.3.1.2.
    if (err instanceof FetchError && err.code === 'TooManyRedirects') return undefined;
    throw err;
  });
  if (!robots || (robots.status >= 300 && robots.status < 500 && robots.status !== 429)) return '';
  endOnRetryAfter(robots, context.now());
  // A robots.txt that cannot be had forbids all of the site, section 2.3.1.4.
  if (robots.status >= 300) throw new VisitOver({ kind: 'nothing', transient: true });
  return robots.body.toString('utf8', 0, MAX_ROBOTS_BYTES);
}

function endOnRetryAfter({ status, headers }: Fetched, now: Date): void {
  const at = status === 429 || status === 503 ? retryAfter(headers['retry-after'], now) : undefined;
  if (at) throw new VisitOver({ kind: 'retry', at, reason: `http-${status}` });
}

/** Ends what went wrong on the way with an answer. @throws what is neither a fetch's fault nor an end of the visit */
export function answerOf(err: unknown): Answer {
  if (err instanceof VisitOver) return err.answer;
  if (!(err instanceof FetchError)) throw err;
  if (!err.isUnreachable) return { kind: 'stop', reason: err.reason };
  // Where nobody is there is nothing to know, which is certain only when the name does not exist.
  const isCertain = err.code === 'NameNotFound' || err.code === 'NameReserved';
  return { kind: 'nothing', ...(!isCertain && { transient: true }) };
}
