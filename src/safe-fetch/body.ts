import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createInflate } from 'node:zlib';
import { FetchError } from './fetch-error.ts';

/** What we ask for. Not Brotli: its decoder takes up to 16 MB for a single page. */
export const ACCEPT_ENCODING = 'gzip, deflate';

/**
 * Reads a body, unpacked, until it ends or has more bytes than allowed, packed or unpacked.
 * @throws FetchError `BodyTooLarge`, `EncodingRefused`; or the stream's own error
 */
export async function readBody(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const collect = async (source: AsyncIterable<Buffer>) => {
    for await (const chunk of capped(source, maxBytes)) chunks.push(chunk);
  };
  const unpack = decoderFor(response.headers['content-encoding']);
  const packed = (source: AsyncIterable<Buffer>) => capped(source, maxBytes);
  await (unpack ? pipeline(response, packed, unpack, collect) : pipeline(response, collect));
  return Buffer.concat(chunks);
}

function decoderFor(encoding: string | undefined): Duplex | undefined {
  switch (encoding?.trim().toLowerCase()) {
    case undefined:
    case '':
    case 'identity':
      return undefined;
    case 'gzip':
    case 'x-gzip':
      return createGunzip();
    case 'deflate':
      return createInflate();
    default:
      throw new FetchError('EncodingRefused'); // also one packed into another
  }
}

async function* capped(source: AsyncIterable<Buffer>, maxBytes: number) {
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new FetchError('BodyTooLarge');
    yield chunk;
  }
}
