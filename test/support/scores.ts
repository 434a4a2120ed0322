import type { Pool } from 'pg';
import { uuidv7 } from 'uuidv7';
import type { TestDatabase } from './database.ts';

/** Gives a lead a score of 50 by the built-in rules, as its onboarding would. */
export async function giveScore({ prisma }: TestDatabase, leadId: string): Promise<void> {
  const lines = [{ rule: 'test', points: 50, reason: { 'pt-BR': 'Teste', en: 'Test' } }];
  const { organizationId, createdAt } = await prisma.lead.findUniqueOrThrow({ where: { id: leadId } });
  const breakdown = lines.map((line) => ({ ...line, reason: line.reason.en }));
  const inForce = { leadId, organizationId, score: 50, band: 'WARM', breakdown, leadCreatedAt: createdAt };
  await prisma.leadScore.upsert({ where: { leadId }, create: inForce, update: inForce });
  const score = { id: uuidv7(), leadId, organizationId, ruleVersion: 0, cause: 'ONBOARDING' } as const;
  await prisma.score.create({ data: { ...score, score: 50, band: 'WARM', lines } });
}

/** Rows written in one statement. */
const CHUNK = 5_000;

/**
 * Fills an organization with scored leads, all of them 0 so far: every other came by referral, every third has a company,
 * every fifth a company's mailbox.
 */
export async function fillScored(pool: Pool, organizationId: string, count: number): Promise<void> {
  for (let from = 1; from <= count; from += CHUNK) {
    await pool.query(FILL, [organizationId, from, Math.min(count, from + CHUNK - 1)]);
  }
  await pool.query('ANALYZE lead, onboarding, lead_enrichment, lead_score, score'); // as a database that has its leads for longer
}

const FILL = `
  WITH filled AS (
    INSERT INTO lead (id, organization_id, name, email, email_key, company, source, created_at)
    SELECT gen_random_uuid(), $1, 'Lead ' || n, 'lead' || n || '@example.com', 'lead' || n || '@example.com',
           CASE WHEN n % 3 = 0 THEN 'Acme ' || n END, CASE WHEN n % 2 = 0 THEN 'REFERRAL' ELSE 'OTHER' END,
           now() - n * interval '1 second'
    FROM generate_series($2::int, $3::int) AS n RETURNING *),
  onboarded AS (
    INSERT INTO onboarding (lead_id, organization_id, state) SELECT id, organization_id, 'COMPLETED' FROM filled),
  enriched AS (
    INSERT INTO lead_enrichment (lead_id, organization_id, document)
    SELECT id, organization_id,
           jsonb_build_object('outcome', 'completed', 'providers', '[]'::jsonb, 'fields', jsonb_build_object(
             'emailKind', jsonb_build_object('value', CASE WHEN substr(name, 6)::int % 5 = 0 THEN 'CORPORATE' ELSE 'FREE' END,
                                             'source', 'test', 'method', 'domain-list', 'confidence', 1),
             'emailDomain', jsonb_build_object('value', 'example.com', 'source', 'test', 'confidence', 1)))
    FROM filled),
  scored AS (
    INSERT INTO lead_score (lead_id, organization_id, score, band, breakdown, lead_created_at)
    SELECT id, organization_id, 0, 'COLD', '[]', created_at FROM filled)
  INSERT INTO score (id, lead_id, organization_id, rule_version, score, band, lines, cause)
  SELECT gen_random_uuid(), id, organization_id, 0, 0, 'COLD', '[]', 'ONBOARDING' FROM filled`;

/** Rules that tell the leads of `fillScored` apart: 60 for a company's mailbox, 30 for a referral, 5 for a company. */
export const TELLING_RULES = {
  name: 'telling',
  rules: [
    rule('mailbox', 'enrichment.emailKind == "CORPORATE"', 60),
    rule('referral', 'lead.source == "REFERRAL"', 30),
    rule('company', 'lead.company.startsWith("Acme")', 5),
  ],
};

export function rule(name: string, when: string, points: number) {
  return { rule: name, when, points, reason: { 'pt-BR': `Regra ${name}`, en: `Rule ${name}` } };
}
