import { FetchError } from '../../safe-fetch/fetch-error.ts';
import { retryAfter } from '../../safe-fetch/retry-after.ts';
import type { Fetched, SafeFetch } from '../../safe-fetch/safe-fetch.ts';
import type { OpenField } from '../field-kinds.ts';
import type { Answer, OutsideSource } from '../provider.ts';
import { type FieldPaths, mapFields } from './map-fields.ts';
import { fillTemplate } from './url-template.ts';

export interface HttpSourceSettings {
  name: string;
  /** An address with names of facts in braces, as in `https://api.acme.com/people?email={email}`. */
  url: string;
  headers: Record<string, string>;
  fields: FieldPaths;
  /** How far its values are believed, 0 to 1. */
  confidence: number;
  timeoutMs: number;
}

/** A service that is asked with a GET and answers with JSON: any of the commercial ones, by its configuration. */
export function createHttpSource(fetch: SafeFetch, settings: HttpSourceSettings): OutsideSource {
  const { name, url, headers, fields, confidence, timeoutMs } = settings;
  return {
    name,
    provides: Object.keys(fields) as OpenField[],
    question: (facts) => fillTemplate(url, facts),
    async lookUp(facts, { signal, now, takeCall }) {
      const question = fillTemplate(url, facts);
      if (!question) return { kind: 'nothing' };
      try {
        const response = await fetch(new URL(question.key), {
          signal,
          headers: { accept: 'application/json', ...headers },
          maxRedirects: 0, // the key must not go anywhere else
          withinMs: timeoutMs,
          wants: (status) => status === 200,
          beforeRequest: takeCall,
        });
        return judge(response, now()) ?? read(response, fields, confidence);
      } catch (err) {
        signal.throwIfAborted();
        if (!(err instanceof FetchError)) throw err;
        const mayPass = (err.isUnreachable && err.code !== 'NameReserved') || err.code === 'TooSlow';
        return mayPass ? { kind: 'retry', at: now(), reason: err.reason } : stop(err.reason);
      }
    },
  };
}

/** Not remembered: once its cause is mended the next lead has the answer. */
const stop = (reason: string): Answer => ({ kind: 'stop', reason, transient: true });

/** What the status means; undefined when there is an answer to read. */
function judge({ status, headers }: Fetched, now: Date): Answer | undefined {
  if (status === 200) return undefined;
  const reason = `http-${status}`;
  // By custom the one says "not known", and the others "known to have nothing", or "still looking".
  if (status === 404 || (status > 200 && status < 300)) return { kind: 'nothing', transient: status === 202 };
  const at = status === 429 || status === 503 ? retryAfter(headers['retry-after'], now) : undefined;
  if (at) return { kind: 'retry', at, reason, forAll: true };
  if (status >= 500 || status === 429 || status === 408 || status === 425) return { kind: 'retry', at: now, reason };
  return stop(reason);
}

function read({ body }: Fetched, fields: FieldPaths, confidence: number): Answer {
  let json: unknown;
  try {
    json = JSON.parse(body.toString('utf8'));
  } catch {
    return stop('no-json');
  }
  const found = mapFields(json, fields, confidence);
  return Object.keys(found).length > 0 ? { kind: 'found', fields: found } : { kind: 'nothing' };
}
