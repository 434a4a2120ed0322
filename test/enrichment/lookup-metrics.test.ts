import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { enrich } from '../../src/enrichment/enrich.ts';
import { measureLookups } from '../../src/enrichment/lookup-metrics.ts';
import type { Answer } from '../../src/enrichment/provider.ts';
import { seriesOf } from '../support/metrics.ts';

it('measures what each source answers, and why it did not', async () => {
  const metrics = new Registry();
  const answers: Record<string, () => Answer> = {
    crm: () => ({ kind: 'nothing' }),
    maps: () => ({ kind: 'retry', at: new Date(), reason: 'http-429' }),
    broken: () => {
      throw new Error('joao@example.com');
    },
  };
  const providers = Object.entries(answers).map(([name, answer]) => ({ name, lookUp: answer }));
  const lead = { email: null, phone: null, company: null, locale: 'pt-BR', attributes: {} };
  const subject = { leadId: 'lead-1', organizationId: 'org-1', run: 'round-1' };
  const context = { subject, signal: new AbortController().signal, now: () => new Date() };
  const { providers: reports } = await enrich(lead, providers.map(measureLookups(metrics)), context);
  expect(reports.map(({ answer }) => answer)).toEqual(['nothing', 'retry', 'failed']);

  const text = await metrics.metrics();
  expect(Object.fromEntries(seriesOf(text))).toMatchObject({
    'lead_enrichment_lookup_duration_seconds_count{provider="crm",answer="nothing"}': 1,
    'lead_enrichment_lookup_duration_seconds_count{provider="maps",answer="retry"}': 1,
    'lead_enrichment_lookup_duration_seconds_count{provider="broken",answer="failed"}': 1,
    'lead_enrichment_lookups_without_answer_total{provider="maps",reason="http-429"}': 1,
    'lead_enrichment_lookups_without_answer_total{provider="broken",reason="failed"}': 1,
  });
  for (const secret of ['joao', 'org-1', 'lead-1']) expect(text).not.toContain(secret);
});
