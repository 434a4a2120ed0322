import type { EnrichmentFields, PhoneType } from '../enrichment/provider.ts';
import type { LeadSource } from './lead.ts';

/** What of a lead counts for its score. */
export interface ScoredLead {
  email: string | null;
  phone: string | null;
  company: string | null;
  source: LeadSource;
}

export interface ScoreRule {
  /** Stored with every score: do not rename it. */
  rule: string;
  points: number;
  reason: string;
  when: (lead: ScoredLead, fields: EnrichmentFields) => boolean;
}

const phoneIs =
  (...types: PhoneType[]): ScoreRule['when'] =>
  (_lead, { phoneType }) =>
    phoneType !== undefined && types.includes(phoneType.value);

const cameBy =
  (source: LeadSource): ScoreRule['when'] =>
  (lead) =>
    lead.source === source;

/** The rules in the order of their lines. docs/scoring.md gives the reason for each number, and a test compares the two. */
export const SCORE_RULES: readonly ScoreRule[] = [
  {
    rule: 'email.corporate',
    points: 30,
    reason: 'The e-mail address belongs to an organization',
    when: (_lead, { emailKind }) => emailKind?.value === 'CORPORATE',
  },
  {
    rule: 'email.free',
    points: 10,
    reason: 'The e-mail address is a free mailbox',
    when: (_lead, { emailKind }) => emailKind?.value === 'FREE',
  },
  {
    rule: 'email.unclassified',
    points: 10,
    reason: 'An e-mail address was given; nothing is known of its domain',
    when: ({ email }, { emailKind }) => email !== null && emailKind === undefined,
  },
  {
    rule: 'email.disposable',
    points: -20,
    reason: 'The e-mail address is a throw-away mailbox',
    when: (_lead, { emailKind }) => emailKind?.value === 'DISPOSABLE',
  },
  {
    rule: 'phone.mobile',
    points: 20,
    reason: 'The phone number is valid and may be a mobile',
    when: phoneIs('MOBILE', 'FIXED_LINE_OR_MOBILE'),
  },
  {
    rule: 'phone.fixed',
    points: 15,
    reason: 'The phone number is valid and a fixed line',
    when: phoneIs('FIXED_LINE', 'VOIP'),
  },
  {
    rule: 'phone.other',
    points: 5,
    reason: 'The phone number is valid, but not the line of one person',
    when: phoneIs('TOLL_FREE', 'OTHER'),
  },
  {
    rule: 'company.given',
    points: 15,
    reason: 'A company was given',
    when: ({ company }) => company !== null,
  },
  {
    rule: 'contact.complete',
    points: 10,
    reason: 'E-mail address, phone number and company were all given',
    when: ({ email, phone, company }) => email !== null && phone !== null && company !== null,
  },
  { rule: 'source.referral', points: 25, reason: 'The lead came by referral', when: cameBy('REFERRAL') },
  { rule: 'source.partner', points: 20, reason: 'The lead came from a partner', when: cameBy('PARTNER') },
  { rule: 'source.event', points: 15, reason: 'The lead came from an event', when: cameBy('EVENT') },
  { rule: 'source.website', points: 10, reason: 'The lead came from the web site', when: cameBy('WEBSITE') },
  { rule: 'source.form', points: 10, reason: 'The lead came from a form', when: cameBy('FORM') },
  { rule: 'source.crm', points: 5, reason: 'The lead came from the CRM', when: cameBy('CRM') },
  { rule: 'source.ads', points: 5, reason: 'The lead came from an advertisement', when: cameBy('ADS') },
];
