import type { LookupFacts, Question } from '../provider.ts';

/** What may stand in braces in the URL of a provider, and whether it tells who the person is. */
const PLACEHOLDERS: Record<string, { isPersonal: boolean; value: (facts: LookupFacts) => string | null | undefined }> =
  {
    email: { isPersonal: true, value: ({ found, email }) => found.normalisedEmail?.value ?? email },
    phone: { isPersonal: true, value: ({ found }) => found.phoneE164?.value },
    emailDomain: { isPersonal: false, value: ({ found }) => found.emailDomain?.value },
    companyDomain: { isPersonal: false, value: ({ found }) => found.companyDomain?.value },
    company: { isPersonal: false, value: ({ found, company }) => company ?? found.companyName?.value },
    country: { isPersonal: false, value: ({ found }) => found.country?.value },
  };
export const PLACEHOLDER_NAMES = Object.keys(PLACEHOLDERS);

/** The names in braces, in order. */
export const placeholdersOf = (template: string): string[] =>
  Array.from(template.matchAll(/\{([^{}]*)\}/g), ([, name = '']) => name);

/**
 * Fills a template for a lead.
 * @returns the address as a question; undefined when the lead lacks one of the values
 */
export function fillTemplate(template: string, facts: LookupFacts): Question | undefined {
  const names = placeholdersOf(template);
  const values = names.map((name) => PLACEHOLDERS[name]?.value(facts));
  if (!values.every(isUsable)) return undefined;
  const key = template.replace(/\{([^{}]*)\}/g, (_all, name: string) =>
    encodeURIComponent(PLACEHOLDERS[name]?.value(facts)?.trim() ?? ''),
  );
  return { key, isPersonal: names.some((name) => PLACEHOLDERS[name]?.isPersonal) };
}

/** `.` and `..` would make another address of a path, however they are encoded. */
const isUsable = (value: string | null | undefined) =>
  typeof value === 'string' && value.isWellFormed() && !['', '.', '..'].includes(value.trim());
