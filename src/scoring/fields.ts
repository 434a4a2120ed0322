import { LEAD_PRIORITIES, LEAD_SOURCES, type LeadSource } from '../../workflows/contract.ts';
import type { EmailKind, EnrichmentFields, FieldName, PhoneType } from '../enrichment/provider.ts';
import { LOCALES } from '../leads/lead.ts';

/** One field that rules may read; all of them are text. */
export interface RuleField {
  about: string;
  /** All that it can hold, where that is known: a rule that compares it with anything else is refused. */
  values?: readonly string[];
}

const EMAIL_KINDS = ['CORPORATE', 'FREE', 'DISPOSABLE'] as const satisfies EmailKind[];
const PHONE_TYPES = [
  'MOBILE',
  'FIXED_LINE',
  'FIXED_LINE_OR_MOBILE',
  'VOIP',
  'TOLL_FREE',
  'OTHER',
] as const satisfies PhoneType[];

/** What rules may read of the lead itself: nothing else of it is within their reach. */
export const LEAD_FIELDS = {
  email: { about: 'the address as it was typed' },
  phone: { about: 'the number as it was typed' },
  company: { about: 'the name of the company as it was typed' },
  source: { about: 'where the lead came from', values: LEAD_SOURCES },
  priority: { about: 'how soon the caller wants it handled', values: LEAD_PRIORITIES },
  locale: { about: 'the language of the lead', values: LOCALES },
} as const satisfies Record<string, RuleField>;

/** What rules may read of the enrichment. What a provider copies from somebody's web page has no place here. */
export const ENRICHMENT_FIELDS = {
  emailKind: { about: 'what kind of mailbox the address is', values: EMAIL_KINDS },
  emailDomain: { about: 'the domain of the address' },
  phoneType: { about: 'what kind of line the number is', values: PHONE_TYPES },
  phoneCountry: { about: 'the country of the number, ISO 3166-1 alpha-2' },
  companyDomain: { about: "the company's domain" },
  country: { about: 'the country of the lead, ISO 3166-1 alpha-2' },
} as const satisfies { [Name in FieldName]?: RuleField };

/** The variables of a rule and their fields. */
export const RULE_VARIABLES: Record<string, Record<string, RuleField>> = {
  lead: LEAD_FIELDS,
  enrichment: ENRICHMENT_FIELDS,
};

/** What of a lead counts for its score. */
export interface ScoredLead {
  email: string | null;
  phone: string | null;
  company: string | null;
  source: LeadSource;
  priority?: string;
  locale?: string;
}

type Known = Record<string, string | undefined>;

/** The lead as rules see it. The class is what their language knows it by. */
export class LeadFacts implements Known {
  [field: string]: string | undefined;
}
/** The enrichment as rules see it. */
export class EnrichmentFacts implements Known {
  [field: string]: string | undefined;
}
export interface Facts {
  lead: LeadFacts;
  enrichment: EnrichmentFacts;
}

/** Picks what rules may read; what is not known, or is not text, is absent. */
export function factsOf(lead: ScoredLead, fields: EnrichmentFields): Facts {
  return {
    lead: pick(new LeadFacts(), LEAD_FIELDS, (name) => lead[name]),
    enrichment: pick(new EnrichmentFacts(), ENRICHMENT_FIELDS, (name) => fields[name]?.value),
  };
}

function pick<Name extends string, Facts extends Known>(
  facts: Facts,
  fields: Record<Name, RuleField>,
  valueOf: (name: Name) => unknown,
): Facts {
  for (const name of Object.keys(fields) as Name[]) {
    const value = valueOf(name);
    if (typeof value === 'string') Object.assign(facts, { [name]: value });
  }
  return facts;
}
