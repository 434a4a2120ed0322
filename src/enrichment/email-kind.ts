import { domainToASCII } from 'node:url';
import { disposableEmailBlocklistSet } from 'disposable-email-domains-js';
import emailProviders from 'email-providers';
import { parse } from 'tldts';
import type { EmailKind, Finding } from './provider.ts';

/** Mailboxes for everybody that `email-providers` does not list. */
const MORE_PROVIDERS = [
  'duck.com',
  'fastmail.com',
  'live.com.br',
  'mozmail.com',
  'passmail.net',
  'posteo.de',
  'superig.com.br',
  'tuta.com',
  'tutanota.com',
  'zohomail.com',
];

const DISPOSABLE = disposableEmailBlocklistSet();
const FREE = new Set([...emailProviders, ...MORE_PROVIDERS].map(domainToASCII));

/**
 * Tells who hands out mailboxes under a domain (lower case, punycode): a throw-away service, a provider open to
 * everybody, or else an organization. Null for a domain that the public DNS cannot have.
 */
export function emailKindOf(domain: string): Finding<EmailKind> | null {
  const { domain: registrable, isIcann, isPrivate, isSpecialUse } = parse(domain, OPTIONS);
  const isOn = (list: ReadonlySet<string>) => list.has(domain) || (registrable !== null && list.has(registrable));

  // Throw-away services come first: `email-providers` lists many of them too.
  if (isOn(DISPOSABLE)) return { value: 'DISPOSABLE', method: 'domain-list', confidence: 0.95 };
  // It also lists example.com, under which nobody has a mailbox (RFC 2606).
  if (isOn(FREE) && isSpecialUse !== true) return { value: 'FREE', method: 'domain-list', confidence: 0.95 };
  if (isIcann !== true && isPrivate !== true) return null;
  // No list has every provider, so that being on none says less.
  return { value: 'CORPORATE', method: 'domain-list', confidence: 0.7 };
}

/** With the private suffixes two customers of one hosting company are two domains. */
const OPTIONS = { allowPrivateDomains: true, detectSpecialUse: true } as const;
