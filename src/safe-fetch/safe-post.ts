import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import type { AllowedHosts } from './allowed-hosts.ts';
import { FetchError, toFetchError } from './fetch-error.ts';
import type { NameResolver } from './name-resolver.ts';
import { isPublicAddress } from './public-address.ts';
import { isReservedName } from './reserved-name.ts';
import { hostOf, portOf } from './target.ts';

/** Of an answer's body, which nobody reads: with less, the connection can be used again. */
const MAX_BODY_BYTES = 64 * 1024;
const MAX_HEADER_BYTES = 16 * 1024;
/** Said of ourselves in every request. */
const USER_AGENT = 'lead-onboarding-webhooks/1';
/** Connections that wait for the next request. */
const AGENT = { keepAlive: true, keepAliveMsecs: 5_000, maxFreeSockets: 256, timeout: 30_000 };

export interface SafePostSettings {
  /** Without one the system's is asked, for which names of the own network are. */
  resolver?: NameResolver;
  /** What may be reached whatever its address is, also without encryption. */
  allowed: AllowedHosts;
  /** Certificate authorities instead of the well-known ones. */
  ca?: string;
}

export interface Post {
  headers: Record<string, string>;
  body: string;
  signal: AbortSignal;
  /** Milliseconds, for all of it. */
  withinMs: number;
}

/** What came back. A redirect is an answer like any other: it is not followed. */
export interface Posted {
  status: number;
  retryAfter: string | undefined;
}

export interface SafePost {
  /**
   * POSTs to the public Internet over https, and to nowhere else: each address is checked that is connected to.
   * @throws FetchError, or the signal's reason
   */
  post(url: URL, post: Post): Promise<Posted>;
  /** Closes the connections that wait. */
  close(): Promise<void>;
}

/** One for a process: connections are kept for the next request. */
export function createSafePost({ resolver, allowed, ca }: SafePostSettings): SafePost {
  /** What a name stands for is asked when a connection is made, and used as it was answered. */
  const lookupWith =
    (names: NameResolver, isAllowed: boolean): LookupFunction =>
    (host, { all }, callback) => {
      names.addressesOf(host).then(
        (addresses) => {
          const isRefused = !isAllowed && !addresses.every(isPublicAddress);
          const error = isRefused ? new FetchError('AddressRefused') : null;
          const [first = ''] = addresses;
          if (all)
            callback(
              error,
              addresses.map((address) => ({ address, family: isIP(address) })),
            );
          else callback(error, first, isIP(first));
        },
        (err: unknown) => callback(toFetchError(err), []),
      );
    };
  const [http, https] = [new HttpAgent(AGENT), new HttpsAgent({ ...AGENT, ...(ca !== undefined && { ca }) })];

  return {
    async post(url, { headers, body, signal, withinMs }) {
      const isAllowed = allowed(url.hostname, portOf(url));
      checkPostTarget(url, isAllowed);
      const secure = url.protocol === 'https:';
      const options = {
        method: 'POST',
        agent: secure ? https : http,
        ...(resolver && { lookup: lookupWith(resolver, isAllowed) }),
        maxHeaderSize: MAX_HEADER_BYTES,
        headers: { 'user-agent': USER_AGENT, 'content-length': Buffer.byteLength(body), ...headers },
      };
      signal.throwIfAborted();
      return new Promise<Posted>((resolve, reject) => {
        const request = (secure ? httpsRequest : httpRequest)(url, options);
        const giveUp = () => request.destroy(signal.reason as Error);
        const timer = setTimeout(() => request.destroy(new FetchError('TooSlow')), withinMs);
        const settled = () => {
          clearTimeout(timer);
          signal.removeEventListener('abort', giveUp);
        };
        signal.addEventListener('abort', giveUp);
        request.once('response', (response) => {
          settled();
          discard(response, withinMs);
          resolve({ status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'] });
        });
        request.on('error', (err) => {
          settled();
          reject(signal.aborted ? err : toFetchError(err));
        });
        request.end(body);
      });
    },
    close() {
      http.destroy();
      https.destroy();
      return Promise.resolve();
    },
  };
}

/** @throws FetchError for an address that nothing is ever sent to */
export function checkPostTarget(url: URL, isAllowed: boolean): void {
  if (url.username !== '' || url.password !== '') throw new FetchError('SchemeRefused');
  if (isAllowed && /^https?:$/.test(url.protocol)) return;
  if (url.protocol !== 'https:') throw new FetchError('SchemeRefused');
  const host = hostOf(url);
  if (isIP(host) !== 0 && !isPublicAddress(host)) throw new FetchError('AddressRefused');
  if (isReservedName(host)) throw new FetchError('NameReserved');
}

/** Reads a body that nobody wants, so that its connection can be used again: for a while, and not all of a large one. */
function discard(response: IncomingMessage, withinMs: number): void {
  const timer = setTimeout(() => response.destroy(), withinMs);
  let bytes = 0;
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) response.destroy();
  });
  response.once('close', () => clearTimeout(timer));
  response.on('error', () => undefined); // it was answered: how the body ends is all the same
}
