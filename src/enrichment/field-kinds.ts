import { domainToASCII } from 'node:url';
import { getDomain } from 'tldts';
import type { FieldName } from './provider.ts';
import { cleanText, cleanUrl } from './web-site/clean-text.ts';

export type FieldKind = 'text' | 'number' | 'list' | 'url' | 'country' | 'domain';

/** Fields that a provider on somebody else's server, or a human, may fill, and what kind of value each takes. */
export const OPEN_FIELDS = {
  companyDomain: 'domain',
  country: 'country',
  companyName: 'text',
  companyDescription: 'text',
  companyLogo: 'url',
  siteTitle: 'text',
  siteImage: 'url',
  siteLanguage: 'text',
  socialLinks: 'list',
  technologies: 'list',
  industry: 'text',
  employeeCount: 'number',
  annualRevenue: 'number',
  foundedYear: 'number',
  city: 'text',
  jobTitle: 'text',
  seniority: 'text',
  linkedinUrl: 'url',
} as const satisfies Partial<Record<FieldName, FieldKind>>;

export type OpenField = keyof typeof OPEN_FIELDS;
export const OPEN_FIELD_NAMES = Object.keys(OPEN_FIELDS) as OpenField[];

/** Fields that only our own look at what the lead gave can fill. */
type OwnField = Exclude<FieldName, OpenField>;
const OWN_FIELDS: Record<OwnField, true> = {
  normalisedEmail: true,
  emailDomain: true,
  emailKind: true,
  emailDomainAcceptsMail: true,
  phoneE164: true,
  phoneCountry: true,
  phoneType: true,
};
export const FIELD_NAMES: FieldName[] = [...(Object.keys(OWN_FIELDS) as OwnField[]), ...OPEN_FIELD_NAMES];

const MAX_TEXT = 500;
const MAX_ENTRIES = 50;
const ANYWHERE = new URL('https://relative.invalid/');

/** Any value of JSON → the value of a field, cleaned and cut; undefined when it is none of its kind. */
export function toFieldValue(field: OpenField, value: unknown): string | number | string[] | undefined {
  switch (OPEN_FIELDS[field]) {
    case 'text':
      return cleanText(typeof value === 'number' ? String(value) : value, MAX_TEXT);
    case 'number':
      return toNumber(value);
    case 'url': {
      const url = cleanUrl(value, ANYWHERE);
      return url && url.hostname !== ANYWHERE.hostname ? url.href : undefined;
    }
    case 'list': {
      const entries: unknown[] = Array.isArray(value) ? value.slice(0, MAX_ENTRIES) : [value];
      const texts = entries.flatMap((entry) => cleanText(entry, MAX_TEXT) ?? []);
      return texts.length > 0 ? texts : undefined;
    }
    case 'country': {
      const code = typeof value === 'string' ? value.trim().toUpperCase() : '';
      return /^[A-Z]{2}$/.test(code) ? code : undefined;
    }
    case 'domain':
      return typeof value === 'string' && value.length <= 253
        ? (getDomain(domainToASCII(value.trim().toLowerCase()), { allowPrivateDomains: true }) ?? undefined)
        : undefined;
  }
}

function toNumber(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}
