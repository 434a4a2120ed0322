export type EmailKind = 'FREE' | 'DISPOSABLE' | 'CORPORATE';

export type PhoneType = 'MOBILE' | 'FIXED_LINE' | 'FIXED_LINE_OR_MOBILE' | 'VOIP' | 'TOLL_FREE' | 'OTHER';

/** Every field that enrichment can fill. Countries are ISO 3166-1 alpha-2 codes. */
export interface FieldValues {
  normalisedEmail: string;
  emailDomain: string;
  emailKind: EmailKind;
  phoneE164: string;
  phoneCountry: string;
  phoneType: PhoneType;
  companyDomain: string;
  country: string;
  /** Whether the domain of the e-mail address takes mail at all. */
  emailDomainAcceptsMail: boolean;
  companyName: string;
  companyDescription: string;
  companyLogo: string;
  siteTitle: string;
  siteImage: string;
  /** As the site says it: `pt-BR`, `en` (BCP 47). */
  siteLanguage: string;
  socialLinks: string[];
  technologies: string[];
  industry: string;
  employeeCount: number;
  /** A year's, in the currency that its source uses. */
  annualRevenue: number;
  foundedYear: number;
  city: string;
  jobTitle: string;
  seniority: string;
  linkedinUrl: string;
}
export type FieldName = keyof FieldValues;

/** How a value was come by. */
export type Method =
  | 'normalised'
  | 'domain-list'
  | 'numbering-plan'
  | 'numbering-plan-of-locale'
  | 'registrable-domain'
  | 'country-domain'
  | 'phone-country'
  | 'mx-lookup'
  | 'title'
  | 'meta'
  | 'open-graph'
  | 'json-ld'
  | 'html-lang'
  | 'links'
  | 'fingerprint'
  | 'api'
  | 'entered';

/** A value as a provider reports it. `confidence` is from 0 (a guess) to 1 (certain). */
export interface Finding<Value> {
  value: Value;
  method: Method;
  confidence: number;
}
export type Findings = { [Name in FieldName]?: Finding<FieldValues[Name]> };

/** A value as it is stored: with the provider that found it, and when (ISO-8601, UTC). */
export interface EnrichedField<Value> extends Finding<Value> {
  source: string;
  fetchedAt: string;
}
export type EnrichmentFields = { [Name in FieldName]?: EnrichedField<FieldValues[Name]> };

/** What is known of a lead before enrichment. */
export interface LeadFacts {
  email: string | null;
  phone: string | null;
  company: string | null;
  locale: string;
  /** The caller's own JSON object, as it is stored. */
  attributes: unknown;
}

/** What a provider is asked about: the lead, and what the providers before it found. */
export interface LookupFacts extends LeadFacts {
  found: Readonly<EnrichmentFields>;
}

/** Which enrichment of which lead this is. */
export interface Subject {
  leadId: string;
  organizationId: string;
  /** Names one enrichment of the lead, over all its attempts. */
  run: string;
  /** Whether to ask although the answer is remembered. */
  fresh?: boolean;
}

export interface LookupContext {
  subject: Subject;
  /** Aborts when the enrichment is canceled; a provider passes it on to its I/O. */
  signal: AbortSignal;
  now: () => Date;
}

/** A reason is a code such as `rate-limited`: it is stored and shown, so it never quotes the lead or an error message. */
export type Answer =
  /** `fetchedAt` when it is not of now. */
  | { kind: 'found'; fields: Findings; fetchedAt?: Date }
  /** `transient`: it may be otherwise soon, so that it is not remembered. */
  | { kind: 'nothing'; transient?: boolean }
  /** Asking again from `at` on may help. `forAll`: it is the provider that asks for patience, whatever the lead. */
  | { kind: 'retry'; at: Date; reason: string; forAll?: boolean }
  /** Asking again does not help. */
  | { kind: 'stop'; reason: string; transient?: boolean };

/** One source of knowledge about leads. It may throw, which counts as an answer of its own and harms no other source. */
export interface EnrichmentProvider {
  /** Stored as the `source` of what it finds: do not rename it. */
  readonly name: string;
  /** All that it can find. It is not asked when all of that is known; left out, it is always asked. */
  readonly provides?: readonly FieldName[];
  lookUp(facts: LookupFacts, context: LookupContext): Answer | Promise<Answer>;
}

export interface OutsideContext extends LookupContext {
  /**
   * Called before each request that leaves for somebody else's server.
   * @throws when there may be no more for this lead, or for its organization today
   */
  takeCall: () => Promise<void>;
}

/** A source on somebody else's server; `guard` makes a provider of it, that keeps to limits and remembers answers. */
export interface OutsideSource extends Pick<EnrichmentProvider, 'name' | 'provides'> {
  /** What it is asked, so that the same is not asked twice; undefined when there is nothing to ask. */
  question(facts: LookupFacts): Question | undefined;
  lookUp(facts: LookupFacts, context: OutsideContext): Promise<Answer>;
}

export interface Question {
  key: string;
  /** Whether it is about the person, rather than about a company. */
  isPersonal: boolean;
}
