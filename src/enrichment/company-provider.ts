import { getDomain } from 'tldts';
import { countryOfDomain } from './country-domain.ts';
import type { EnrichmentFields, Finding, EnrichmentProvider } from './provider.ts';

/**
 * Finds the company behind a lead: the domain of its e-mail when that is an organization's own, and its country.
 * It reads what the e-mail and phone providers found, and therefore comes after them.
 */
export const companyProvider: EnrichmentProvider = {
  name: 'company',
  lookUp({ found }) {
    const domain = found.emailKind?.value === 'CORPORATE' ? registrable(found.emailDomain?.value ?? '') : null;
    const country = countryOf(found);
    if (domain === null && country === null) return { kind: 'nothing' };
    return {
      kind: 'found',
      fields: {
        ...(domain !== null && { companyDomain: { value: domain, method: 'registrable-domain', confidence: 0.9 } }),
        ...(country && { country }),
      },
    };
  },
};

/** `acme.blogspot.com` is a company's own domain; `blogspot.com`, a suffix itself, is that of the company which runs it. */
const registrable = (host: string) => getDomain(host, { allowPrivateDomains: true }) ?? getDomain(host);

/**
 * In this order: the domain of an organization, which is where it is at home; the phone number, which is where the
 * person is; the domain of a free mailbox, which is where it was once opened. A throw-away domain tells nothing.
 */
function countryOf({ emailKind, emailDomain, phoneCountry }: EnrichmentFields): Finding<string> | null {
  const ofDomain = emailDomain ? countryOfDomain(emailDomain.value) : null;
  if (ofDomain !== null && emailKind?.value === 'CORPORATE') {
    return { value: ofDomain, method: 'country-domain', confidence: 0.9 };
  }
  if (phoneCountry) {
    return { value: phoneCountry.value, method: 'phone-country', confidence: Math.min(phoneCountry.confidence, 0.8) };
  }
  if (ofDomain !== null && emailKind?.value === 'FREE') {
    return { value: ofDomain, method: 'country-domain', confidence: 0.6 };
  }
  return null;
}
