import { describe, expect, it } from 'vitest';
import { enrich } from '../../src/enrichment/enrich.ts';
import { emailProvider } from '../../src/enrichment/email-provider.ts';
import { createNameResolver } from '../../src/safe-fetch/name-resolver.ts';
import { createMailDomainSource } from '../../src/enrichment/mail-domain-source.ts';
import { PATIENT_LOOKUP_MS } from '../safe-fetch/support.ts';
import { startDnsServer } from '../support/outside/dns-server.ts';
import { context, leadWith, unguarded } from './support.ts';

const mx = (exchange: string) => ({ MX: [{ exchange, preference: 10 }] });

async function look(email: string, zone: Parameters<typeof startDnsServer>[0]) {
  const dns = await startDnsServer(zone);
  const isSilent = Object.values(zone ?? {}).includes('silent');
  const providers = [
    emailProvider,
    unguarded(
      createMailDomainSource(
        createNameResolver({ servers: dns.servers, lookupMs: isSilent ? 200 : PATIENT_LOOKUP_MS }),
      ),
    ),
  ];
  const { fields, providers: reports, outcome } = await enrich(leadWith({ email }), providers, context());
  return { found: fields.emailDomainAcceptsMail, answer: reports[1]?.answer, outcome, asked: dns.asked };
}

describe('a mail domain', () => {
  it('with MX records takes mail', async () => {
    const { found } = await look('ana@acme.com.br', { 'acme.com.br': mx('mail.acme.com.br') });
    expect(found).toMatchObject({ value: true, source: 'mail-domain', method: 'mx-lookup', confidence: 0.95 });
  });

  it.each([
    ['says that it takes none', { 'acme.com.br': mx('.') }, 0.95],
    ['does not exist', {}, 0.9],
    ['has no MX record', { 'acme.com.br': {} }, 0.6],
  ])('that %s takes no mail', async (_what, zone, confidence) => {
    expect((await look('ana@acme.com.br', zone)).found).toMatchObject({ value: false, confidence });
  });

  it('about which the resolver is silent gives nothing after one try', async () => {
    const { answer, outcome, asked } = await look('ana@acme.com.br', { 'acme.com.br': 'silent' });
    expect([answer, outcome]).toEqual(['nothing', 'completed']);
    expect(asked).toEqual(['acme.com.br MX']);
  });

  it.each(['ana@gmail.com', 'ana@mailinator.com', 'ana@example.com', 'ana@acme.test'])(
    'of %s is not looked up',
    async (email) => {
      expect(await look(email, {})).toMatchObject({ answer: 'nothing', asked: [] });
    },
  );
});
