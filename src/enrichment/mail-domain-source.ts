import { FetchError } from '../safe-fetch/fetch-error.ts';
import type { NameResolver } from '../safe-fetch/name-resolver.ts';
import { isReservedName } from '../safe-fetch/reserved-name.ts';
import type { Answer, Finding, OutsideSource } from './provider.ts';

/** Finds whether an organization's domain takes mail, by its MX records. Of mail providers' domains it is known. */
export function createMailDomainSource(resolver: NameResolver): OutsideSource {
  return {
    name: 'mail-domain',
    question({ found }) {
      const domain = found.emailDomain?.value;
      const isAsked = domain !== undefined && found.emailKind?.value === 'CORPORATE' && !isReservedName(domain);
      return isAsked ? { key: domain, isPersonal: false } : undefined;
    },
    async lookUp({ found }) {
      const domain = found.emailDomain?.value ?? '';
      try {
        const hosts = await resolver.mailHostsOf(domain);
        // A single host "." says that there is no mail, RFC 7505.
        if (hosts.length > 0)
          return answer(
            hosts.some(({ exchange }) => exchange !== '' && exchange !== '.'),
            0.95,
          );
        // Without MX mail goes to the host itself (RFC 5321, section 5.1), if it has a mail server, which few have.
        return answer(false, 0.6);
      } catch (err) {
        if (!(err instanceof FetchError)) throw err;
        return err.code === 'NameNotFound' ? answer(false, 0.9) : { kind: 'nothing', transient: true };
      }
    },
  };
}

function answer(value: boolean, confidence: number): Answer {
  const emailDomainAcceptsMail: Finding<boolean> = { value, method: 'mx-lookup', confidence };
  return { kind: 'found', fields: { emailDomainAcceptsMail } };
}
