import { getDomain } from 'tldts';
import { FetchError } from '../../safe-fetch/fetch-error.ts';
import { isReservedName } from '../../safe-fetch/reserved-name.ts';
import type { SafeFetch } from '../../safe-fetch/safe-fetch.ts';
import type { Answer, OutsideSource } from '../provider.ts';
import { pageFields } from './page-fields.ts';
import { decodePage, readPage } from './read-page.ts';
import { answerOf, visit, type Visit } from './site-visit.ts';

/** robots.txt, https, http and redirects. */
const WITHIN_MS = 7_500;
/** Of what a page says to which another domain redirects: it may be that of an owner, or of who sells the domain. */
const TRUST_ELSEWHERE = 0.5;

export interface WebSiteDependencies {
  fetch: SafeFetch;
  /** Milliseconds for all of a site; at most 7,500, so that it is over within 8 s, the reading included. */
  withinMs?: number;
  /** Where the site of a domain is looked for, in this order; by default https, then http. */
  origins?: (domain: string) => readonly string[];
}

const usualOrigins = (domain: string) => [`https://${domain}/`, `http://${domain}/`];

/** Finds what the web site of a lead's company says of it: the site of the domain that the company provider found. */
export function createWebSiteSource(deps: WebSiteDependencies): OutsideSource {
  const { fetch, withinMs = WITHIN_MS, origins = usualOrigins } = deps;
  return {
    name: 'web-site',
    question({ found }) {
      const domain = found.companyDomain?.value;
      return domain === undefined || isReservedName(domain) ? undefined : { key: domain, isPersonal: false };
    },
    async lookUp({ found }, context) {
      const domain = found.companyDomain?.value ?? '';
      const end = Date.now() + Math.min(withinMs, WITHIN_MS);
      const trip: Visit = { context, left: () => Math.max(1, end - Date.now()) };
      let answer: Answer = { kind: 'nothing' };
      for (const origin of origins(domain)) {
        try {
          return await read(fetch, new URL(origin), domain, trip);
        } catch (err) {
          context.signal.throwIfAborted();
          answer = answerOf(err);
          const mayTryNext = err instanceof FetchError && (err.code === 'ConnectFailed' || err.code === 'TlsFailed');
          if (!mayTryNext) return answer;
        }
      }
      return answer;
    },
  };
}

async function read(fetch: SafeFetch, start: URL, domain: string, trip: Visit): Promise<Answer> {
  const { url, status, headers, body } = await visit(fetch, start, trip);
  if (status >= 500) return { kind: 'nothing', transient: true };
  if (body.length === 0) return { kind: 'nothing' };
  const page = await readPage(decodePage(body, headers['content-type']), trip.context.signal);
  const isOwn = getDomain(url.hostname, { allowPrivateDomains: true }) === domain;
  const fields = pageFields(page, headers, url, isOwn ? 1 : TRUST_ELSEWHERE);
  return Object.keys(fields).length > 0 ? { kind: 'found', fields } : { kind: 'nothing' };
}
