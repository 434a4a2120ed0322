import { getDomain } from 'tldts';
import { cleanUrl } from './clean-text.ts';

const NETWORKS = new Set([
  'facebook.com',
  'github.com',
  'instagram.com',
  'linkedin.com',
  'pinterest.com',
  'threads.net',
  'tiktok.com',
  'twitter.com',
  'x.com',
  'youtube.com',
]);
/** Buttons to share the page, rather than profiles. */
const SHARING =
  /^\/(share|sharer|sharer\.php|sharing|intent|dialog|plugins|pin|tr|hashtag|search|watch|embed|p)(\/|$)/i;
const MAX_LINKS = 10;

/** Profiles in social networks among a page's links: https, without query, each once, the first ten. */
export function socialLinks(links: readonly unknown[], base: URL): string[] {
  const found = new Set<string>();
  for (const link of links) {
    const url = cleanUrl(link, base);
    if (!url || !NETWORKS.has(getDomain(url.hostname) ?? '')) continue;
    const path = url.pathname.replace(/\/+$/, '');
    if (path === '' || SHARING.test(path)) continue;
    found.add(`https://${url.hostname.replace(/^(www|m)\./, '')}${path}`);
    if (found.size === MAX_LINKS) break;
  }
  return [...found];
}
