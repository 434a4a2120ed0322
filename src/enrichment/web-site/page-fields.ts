import type { IncomingHttpHeaders } from 'node:http';
import type { FieldName, FieldValues, Finding, Findings, Method } from '../provider.ts';
import { cleanText, cleanUrl } from './clean-text.ts';
import { findOrganization, members } from './json-ld.ts';
import type { Page } from './page.ts';
import { socialLinks } from './social-links.ts';
import { technologiesOf } from './technologies.ts';

/** How far what a site says of itself is believed, by the way it is said. */
const CONFIDENCE = {
  'json-ld': 0.8,
  'open-graph': 0.7,
  fingerprint: 0.7,
  meta: 0.6,
  'html-lang': 0.6,
  title: 0.6,
  links: 0.6,
} as const;
const NAME = 200;
const TEXT = 500;

type Source = keyof typeof CONFIDENCE & Method;

/**
 * The fields that a company's page fills: cleaned, cut, and no more than data.
 * @param trust 1 for a page of the company's own domain, less for one that it redirects to
 */
export function pageFields(page: Page, headers: IncomingHttpHeaders, url: URL, trust: number): Findings {
  const organization = findOrganization(page.jsonLd);
  const { meta } = page;
  const own = members(organization?.sameAs);
  const first = <Name extends FieldName>(
    name: Name,
    ...candidates: [Source, FieldValues[Name] | undefined][]
  ): { [Key in Name]?: Finding<FieldValues[Name]> } => {
    const [method, value] = candidates.find(([, candidate]) => candidate !== undefined) ?? [];
    if (method === undefined || value === undefined) return {};
    const finding = { value, method, confidence: Math.round(CONFIDENCE[method] * trust * 100) / 100 };
    return { [name]: finding } as { [Key in Name]?: Finding<FieldValues[Name]> };
  };
  return {
    ...first(
      'companyName',
      ['json-ld', cleanText(organization?.name, NAME)],
      ['open-graph', cleanText(meta.get('og:site_name'), NAME)],
      ['meta', cleanText(meta.get('application-name'), NAME)],
    ),
    ...first(
      'companyDescription',
      ['json-ld', cleanText(organization?.description, TEXT)],
      ['open-graph', cleanText(meta.get('og:description'), TEXT)],
      ['meta', cleanText(meta.get('description'), TEXT)],
    ),
    ...first('companyLogo', ['json-ld', cleanUrl(addressOf(organization?.logo), url)?.href]),
    ...first(
      'siteTitle',
      ['title', cleanText(page.title, NAME)],
      ['open-graph', cleanText(meta.get('og:title'), NAME)],
    ),
    ...first('siteImage', ['open-graph', meta.has('og:image') ? cleanUrl(meta.get('og:image'), url)?.href : undefined]),
    ...first(
      'siteLanguage',
      ['html-lang', languageTag(page.language)],
      ['open-graph', languageTag(meta.get('og:locale'))],
    ),
    ...first(
      'socialLinks',
      ['json-ld', filled(socialLinks(own, url))],
      ['links', filled(socialLinks(page.links, url))],
    ),
    ...first('technologies', ['fingerprint', filled(technologiesOf(headers, page))]),
  };
}

const filled = (list: string[]) => (list.length > 0 ? list : undefined);

/** schema.org allows an address, or an ImageObject. */
function addressOf(logo: unknown): unknown {
  return typeof logo === 'object' && logo !== null && 'url' in logo ? logo.url : logo;
}

/** `pt_BR` → `pt-BR` (BCP 47); undefined for what is no language. */
function languageTag(text: string | undefined): string | undefined {
  const tag = text?.trim().replace('_', '-') ?? '';
  if (!/^[a-z]{2,3}(-[a-z0-9]{2,8}){0,3}$/i.test(tag)) return undefined;
  return Intl.getCanonicalLocales(tag)[0];
}
