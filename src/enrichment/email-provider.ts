import { emailKey, isEmail } from '../leads/email.ts';
import { emailKindOf } from './email-kind.ts';
import type { EnrichmentProvider } from './provider.ts';

/** Finds what an e-mail address itself tells: its normal form, its domain, and who hands out mailboxes there. */
export const emailProvider: EnrichmentProvider = {
  name: 'email',
  lookUp({ email }) {
    if (email === null || !isEmail(email.trim())) return { kind: 'nothing' };
    const key = emailKey(email);
    const domain = key.slice(key.lastIndexOf('@') + 1);
    const kind = emailKindOf(domain);
    return {
      kind: 'found',
      fields: {
        normalisedEmail: { value: key, method: 'normalised', confidence: 1 },
        emailDomain: { value: domain, method: 'normalised', confidence: 1 },
        ...(kind && { emailKind: kind }),
      },
    };
  },
};
