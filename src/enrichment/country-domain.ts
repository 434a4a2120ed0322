import { getPublicSuffix } from 'tldts';

/** Country codes that are sold and used the world over (Google Search's list of them, plus .gg, .ly, .sh, .so, .to, .vc). */
const USED_ANYWHERE = new Set(
  'ad ai as bz cc cd co dj fm gg io la ly me ms nu sc sh so sr su tk to tv vc ws'.split(' '),
);
/** Two letters, but no country: Ascension, the European Union. */
const NO_COUNTRY = new Set(['ac', 'eu']);

/**
 * The country (ISO 3166-1 alpha-2) whose top-level domain a domain is under, or null. `acme.co` tells nothing, but
 * `acme.com.co` is Colombian: what is used anywhere is the bare code. Country codes in other scripts are not read.
 */
export function countryOfDomain(domain: string): string | null {
  const suffix = getPublicSuffix(domain, { allowPrivateDomains: false }) ?? '';
  const code = suffix.slice(suffix.lastIndexOf('.') + 1);
  if (!/^[a-z]{2}$/.test(code) || NO_COUNTRY.has(code) || USED_ANYWHERE.has(suffix)) return null;
  return code === 'uk' ? 'GB' : code.toUpperCase();
}
