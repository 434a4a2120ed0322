import { type IncomingMessage, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { ACCEPT_ENCODING } from './body.ts';
import { FetchError, toFetchError } from './fetch-error.ts';
import { hostOf, portOf } from './target.ts';

const MAX_HEADER_BYTES = 16 * 1024;
/** A host that does not take a connection within this has others tried in its place. */
const CONNECT_MS = 1_500;

export interface RequestOptions {
  headers: Record<string, string>;
  signal: AbortSignal;
  ca: string | undefined;
}

/**
 * GETs a URL from the first of the addresses that takes a connection, each used as it is: no name is looked up here.
 * The connection is closed afterwards.
 * @returns the response, its body unread
 */
export async function get(url: URL, addresses: readonly string[], options: RequestOptions): Promise<IncomingMessage> {
  let failure = new FetchError('NameNotFound');
  for (const address of addresses) {
    const attempt = { isConnected: false };
    try {
      return await getFrom(url, address, options, () => (attempt.isConnected = true));
    } catch (err) {
      failure = toFetchError(err);
      // Once connected the request may have left: it is not sent twice.
      if (attempt.isConnected || failure.code !== 'ConnectFailed' || options.signal.aborted) throw failure;
    }
  }
  throw failure;
}

function getFrom(
  url: URL,
  address: string,
  { headers, signal, ca }: RequestOptions,
  onConnect: () => void,
): Promise<IncomingMessage> {
  const secure = url.protocol === 'https:';
  return new Promise((resolve, reject) => {
    const request = (secure ? httpsRequest : httpRequest)({
      host: address,
      port: portOf(url),
      path: url.pathname + url.search,
      headers: { ...headers, host: url.host, 'accept-encoding': ACCEPT_ENCODING },
      agent: false,
      maxHeaderSize: MAX_HEADER_BYTES,
      signal,
      ...(secure && { servername: isIP(hostOf(url)) === 0 ? url.hostname : '', ...(ca !== undefined && { ca }) }),
    });
    const tooLate = setTimeout(() => request.destroy(new FetchError('ConnectFailed')), CONNECT_MS);
    request.once('socket', (socket) =>
      socket.once('connect', () => {
        clearTimeout(tooLate);
        onConnect();
      }),
    );
    request.once('close', () => clearTimeout(tooLate));
    request.once('response', resolve);
    // Stays for later errors, which reach whoever reads the response.
    request.on('error', reject);
    request.end();
  });
}
