/** 80 or 443; undefined when it is neither http nor https. */
export function usualPort({ protocol }: URL): number | undefined {
  return protocol === 'https:' ? 443 : protocol === 'http:' ? 80 : undefined;
}

export const portOf = (url: URL): number => (url.port === '' ? (usualPort(url) ?? 0) : Number(url.port));

/** Without the brackets of IPv6. URLs know no octal or decimal addresses: parsing has made them dotted ones. */
export const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '');
