import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { SpanKind, withSpan } from '../telemetry/tracing.ts';
import type { AllowedHosts } from './allowed-hosts.ts';
import { readBody } from './body.ts';
import { FetchError, toFetchError } from './fetch-error.ts';
import type { NameResolver } from './name-resolver.ts';
import { isPublicAddress } from './public-address.ts';
import { get } from './request.ts';
import { hostOf, portOf, usualPort } from './target.ts';
import { isReservedName } from './reserved-name.ts';

const MAX_BODY_BYTES = 1024 * 1024;
const MAX_REDIRECTS = 3;
/** For all of it: names, connections, redirects and the body. */
const WITHIN_MS = 8_000;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** Of a name with many addresses, these are tried. */
const ADDRESSES_TRIED = 2;

export interface SafeFetchSettings {
  resolver: NameResolver;
  allowed: AllowedHosts;
  /** Said of ourselves in every request. */
  userAgent: string;
  /** Certificate authorities instead of the well-known ones. */
  ca?: string;
}

export interface FetchOptions {
  signal: AbortSignal;
  headers?: Record<string, string>;
  /** 0 to 3; what is said instead of following one is a redirect's own status. */
  maxRedirects?: number;
  /** Milliseconds, at most 8,000. */
  withinMs?: number;
  /** Called before each request, of redirects too; what it throws ends the fetch. */
  beforeRequest?: (url: URL) => Promise<void>;
  /** Whether a body is wanted; it is read when this is left out. */
  wants?: (status: number, headers: IncomingHttpHeaders) => boolean;
}

export interface Fetched {
  /** Where redirects led to. */
  url: URL;
  status: number;
  headers: IncomingHttpHeaders;
  /** Unpacked; empty when it was not wanted. */
  body: Buffer;
}

/**
 * GETs from the public Internet, and from nowhere else: http on port 80 or https on 443, each address checked that is
 * connected to, at most 3 redirects, 1 MiB unpacked and 16 KiB of headers, 8 s in all. Bodies are bytes of a stranger.
 * @throws FetchError, or whatever ended it: the signal's reason, what `beforeRequest` threw
 */
export type SafeFetch = (url: URL, options: FetchOptions) => Promise<Fetched>;

export function createSafeFetch(settings: SafeFetchSettings): SafeFetch {
  return async (url, { withinMs = WITHIN_MS, ...options }) => {
    options.signal.throwIfAborted();
    // Not `AbortSignal.any` with `AbortSignal.timeout`: in Node 20 the garbage collector takes the timer away.
    const stop = new AbortController();
    const deadline = setTimeout(() => stop.abort(new FetchError('TooSlow')), Math.min(withinMs, WITHIN_MS));
    const cancel = () => stop.abort(options.signal.reason);
    options.signal.addEventListener('abort', cancel, { once: true });
    try {
      return await withSpan(
        'GET',
        { kind: SpanKind.CLIENT, attributes: { 'http.request.method': 'GET' } },
        async (span) => {
          const fetched = await untilAborted(follow(settings, url, options, stop.signal), stop.signal);
          span?.setAttribute('http.response.status_code', fetched.status);
          return fetched;
        },
      );
    } finally {
      clearTimeout(deadline);
      options.signal.removeEventListener('abort', cancel);
      stop.abort(new FetchError('TooSlow')); // whatever is still open ends with the fetch
    }
  };
}

/** Settles at the latest when the signal aborts, with its reason. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } catch (err) {
    if (signal.aborted) throw signal.reason;
    throw err;
  }
}

async function follow(
  settings: SafeFetchSettings,
  start: URL,
  { maxRedirects = MAX_REDIRECTS, beforeRequest, wants, headers = {} }: Omit<FetchOptions, 'withinMs'>,
  signal: AbortSignal,
): Promise<Fetched> {
  let url = start;
  for (let redirects = 0; ; redirects += 1) {
    checkTarget(url, settings.allowed);
    await beforeRequest?.(url);
    signal.throwIfAborted();
    const addresses = await addressesOf(url, settings);
    const request = { 'user-agent': settings.userAgent, ...headers };
    try {
      const response = await get(url, addresses.slice(0, ADDRESSES_TRIED), {
        headers: request,
        signal,
        ca: settings.ca,
      });
      const { statusCode: status = 0, headers: answered } = response;
      const next = REDIRECTS.has(status) && maxRedirects > 0 ? redirectFrom(url, answered.location) : undefined;
      if (next === undefined) {
        const body = (wants?.(status, answered) ?? true) ? await readBody(response, MAX_BODY_BYTES) : Buffer.alloc(0);
        response.destroy();
        return { url, status, headers: answered, body };
      }
      response.destroy();
      if (redirects >= Math.min(maxRedirects, MAX_REDIRECTS)) throw new FetchError('TooManyRedirects');
      url = next;
    } catch (err) {
      throw toFetchError(err);
    }
  }
}

function checkTarget(url: URL, allowed: AllowedHosts): void {
  const usual = usualPort(url);
  if (usual === undefined || url.username !== '' || url.password !== '') throw new FetchError('SchemeRefused');
  const port = portOf(url);
  if (allowed(url.hostname, port)) return;
  if (port !== usual) throw new FetchError('PortRefused');
  if (isReservedName(hostOf(url))) throw new FetchError('NameReserved');
}

/** Every address of a name must be public: one that has a private one as well means to lead us there. */
async function addressesOf(url: URL, { resolver, allowed }: SafeFetchSettings): Promise<string[]> {
  const host = hostOf(url);
  const addresses = isIP(host) === 0 ? await resolver.addressesOf(host) : [host];
  if (!allowed(url.hostname, portOf(url)) && !addresses.every(isPublicAddress)) throw new FetchError('AddressRefused');
  return addresses;
}

function redirectFrom(url: URL, location: string | undefined): URL | undefined {
  if (location === undefined) return undefined;
  const next = URL.canParse(location, url.href) ? new URL(location, url) : undefined;
  if (!next) throw new FetchError('ResponseMalformed');
  return next;
}
