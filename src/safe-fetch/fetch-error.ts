/** Why a page was not had. */
export type FetchErrorCode =
  // Not asked for: the address is not one that we go to.
  | 'AddressRefused'
  | 'PortRefused'
  | 'SchemeRefused'
  | 'NameReserved'
  // Nobody there.
  | 'NameNotFound'
  | 'ResolverSilent'
  | 'ConnectFailed'
  | 'TlsFailed'
  // An answer that nobody well-meaning gives.
  | 'BodyTooLarge'
  | 'HeadersTooLarge'
  | 'TooSlow'
  | 'TooManyRedirects'
  | 'EncodingRefused'
  | 'ResponseMalformed';

/** Its message is its code: neither an address nor anything that a stranger wrote. */
export class FetchError extends Error {
  override name = 'FetchError';
  readonly code: FetchErrorCode;

  constructor(code: FetchErrorCode) {
    super(code);
    this.code = code;
  }

  /** `AddressRefused` → `address-refused` */
  get reason(): string {
    return this.code.replace(/(?!^)[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
  }

  /** Nobody is there, as far as we can tell. */
  get isUnreachable(): boolean {
    return ['NameReserved', 'NameNotFound', 'ResolverSilent', 'ConnectFailed', 'TlsFailed'].includes(this.code);
  }
}

/** What Node says of a request that went wrong, as one of our codes. Our own errors stay. */
export function toFetchError(err: unknown): FetchError {
  if (err instanceof FetchError) return err;
  const code = err instanceof Error && 'code' in err ? String(err.code) : '';
  if (code === 'HPE_HEADER_OVERFLOW') return new FetchError('HeadersTooLarge');
  if (/^(HPE_|Z_|ERR_STREAM_PREMATURE_CLOSE)/.test(code)) return new FetchError('ResponseMalformed');
  if (/^(EPROTO|ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|HOSTNAME_)/.test(code)) {
    return new FetchError('TlsFailed');
  }
  if (/^E[A-Z]+$/.test(code)) return new FetchError('ConnectFailed');
  return new FetchError('ResponseMalformed');
}
