import { z } from '@hono/zod-openapi';
import {
  LEAD_PRIORITIES,
  LEAD_SOURCES,
  type LeadPriority,
  type LeadSource,
  ONBOARDING_STATES,
  type OnboardingSignal,
  type OnboardingState,
  SCORE_BANDS,
  type ScoreBand,
} from '../../workflows/contract.ts';
import type { Lead as ViewedLead } from '../db/generated/client.ts';
import { cleanName } from '../db/visible-text.ts';
import { EXAMPLE_LEAD } from './example-lead.ts';

export const LEAD_STATUSES = ['NEW', 'CONTACTED', 'QUALIFIED', 'UNQUALIFIED', 'CONVERTED', 'LOST'] as const;
export type LeadStatus = (typeof LEAD_STATUSES)[number];
export const LOCALES = ['pt-BR', 'en'] as const;
export type Locale = (typeof LOCALES)[number];

/** A lead as it is answered once it is onboarded. */
export const EXAMPLE_ANSWER = {
  id: '01a20ab0-4757-752c-a5f9-81f88a505caa',
  ...EXAMPLE_LEAD,
  status: 'NEW',
  priority: 'NORMAL',
  locale: 'pt-BR',
  attributes: {},
  score: 85,
  scoreBand: 'HOT',
  enrichment: null,
  onboardingState: 'COMPLETED',
  archived: false,
  createdAt: '2026-11-24T12:00:00.000Z',
  updatedAt: '2026-11-24T12:00:10.123Z',
} as const;

/** One value that is known from elsewhere. */
export const enrichedValueSchema = z
  .object({
    value: z.unknown().openapi({ description: 'A text, a number, true or false, or a list of texts' }),
    source: z.string().openapi({ description: 'The provider, or `human`' }),
    method: z.string(),
    confidence: z.number().min(0).max(1),
    fetchedAt: z.iso.datetime(),
  })
  .openapi('EnrichedValue');

/** How a provider has answered. */
export const providerReportSchema = z
  .object({ provider: z.string(), answer: z.string(), reason: z.string().optional() })
  .openapi('ProviderReport');

const leadEnrichmentSchema = z
  .object({
    fields: z.record(z.string(), enrichedValueSchema),
    providers: z.array(providerReportSchema),
    outcome: z.enum(['completed', 'partial']).optional(),
    retryAt: z.iso.datetime().optional().openapi({ description: 'While providers are to be asked again' }),
    run: z.string().optional(),
  })
  .openapi('LeadEnrichment');

/** A lead as the API answers it. Times are ISO-8601 in UTC. */
export const leadSchema = z
  .object({
    id: z.uuid(),
    organizationId: z.string(),
    name: z.string(),
    email: z.string().nullable(),
    phone: z.string().nullable(),
    company: z.string().nullable(),
    status: z.enum(LEAD_STATUSES),
    source: z.enum(LEAD_SOURCES),
    assignedTo: z.string().nullable(),
    priority: z.enum(LEAD_PRIORITIES),
    locale: z.string(),
    attributes: z.record(z.string(), z.unknown()),
    score: z.number().int().min(0).max(100).nullable(),
    scoreBand: z.enum(SCORE_BANDS).nullable(),
    enrichment: z.union([leadEnrichmentSchema, z.null()]), // not `nullable`: that would be part of the named schema
    onboardingState: z.enum(ONBOARDING_STATES),
    archived: z.boolean().openapi({ description: 'Put aside: in no list or search but those that ask for it' }),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .openapi('Lead', { example: EXAMPLE_ANSWER });

export type Lead = z.infer<typeof leadSchema>;

/** A lead as `lead_view` has it: checks of the database hold its texts to these. */
export interface LeadRow extends ViewedLead {
  status: LeadStatus;
  source: LeadSource;
  priority: LeadPriority;
  scoreBand: ScoreBand | null;
  onboardingState: OnboardingState;
  acceptedCommands: OnboardingSignal[];
}

/** What `toLead` needs of a row; times as Prisma reads them or as JSON writes them. */
export type LeadFields = Pick<LeadRow, Exclude<keyof Lead, 'createdAt' | 'updatedAt'>> & {
  createdAt: Date | string;
  updatedAt: Date | string;
};

/** A stored row → the lead as the API answers it. */
export function toLead(row: LeadFields): Lead {
  return {
    id: row.id,
    organizationId: row.organizationId,
    name: cleanName(row.name), // it may have been stored before names were cleaned
    email: row.email,
    phone: row.phone,
    company: row.company === null ? null : cleanName(row.company),
    status: row.status,
    source: row.source,
    assignedTo: row.assignedTo,
    priority: row.priority,
    locale: row.locale,
    attributes: row.attributes as Record<string, unknown>,
    score: row.score,
    scoreBand: row.scoreBand,
    enrichment: row.enrichment as Lead['enrichment'],
    onboardingState: row.onboardingState,
    archived: row.archived,
    createdAt: new Date(row.createdAt).toISOString(),
    updatedAt: new Date(row.updatedAt).toISOString(),
  };
}

/** Says whether the present round of a lead's onboarding still goes on. */
export const isUnfinished = ({ onboardingState }: Pick<LeadRow, 'onboardingState'>): boolean =>
  onboardingState === 'PENDING' || onboardingState === 'RUNNING';
