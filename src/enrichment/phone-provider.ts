import {
  type CountryCode,
  isSupportedCountry,
  type PhoneNumberType,
  parsePhoneNumberFromString,
} from 'libphonenumber-js/max';
import type { PhoneType, EnrichmentProvider } from './provider.ts';

/** Finds what a phone number itself tells: its E.164 form, and the country and the kind of line of its numbering plan. */
export const phoneProvider: EnrichmentProvider = {
  name: 'phone',
  lookUp({ phone, locale }) {
    const typed = phone === null ? '' : firstNumber(phone);
    const abroad = valid(typed);
    const number = abroad ?? valid(typed, countryOf(locale));
    if (!number) return { kind: 'nothing' };

    const how = abroad
      ? ({ method: 'numbering-plan', confidence: 0.95 } as const)
      : ({ method: 'numbering-plan-of-locale', confidence: 0.7 } as const);
    const type = number.getType();
    return {
      kind: 'found',
      fields: {
        phoneE164: { value: number.number, ...how },
        ...(number.country && { phoneCountry: { value: number.country, ...how } }),
        ...(type && { phoneType: { value: phoneTypeOf(type), ...how } }),
      },
    };
  },
};

/** Without a country only numbers that begin with `+` are read. */
function valid(typed: string, country?: CountryCode) {
  const number = parsePhoneNumberFromString(typed, country);
  return number?.isValid() ? number : undefined;
}

/** People write two numbers into one field, and extensions in Portuguese: the library reads neither. */
const firstNumber = (typed: string) => (typed.split(/[/;,|]/, 1)[0] ?? '').replace(/\bramal\b/i, 'ext.');

/**
 * The country whose numbering plan a number without `+` is read by: the region that the locale names. `pt-BR` is
 * Brazil; plain `en` names none, and a guess would turn a British number into a valid American one.
 */
function countryOf(locale: string): CountryCode | undefined {
  const region = /-([A-Z]{2})$/.exec(locale)?.[1];
  return region !== undefined && isSupportedCountry(region) ? region : undefined;
}

function phoneTypeOf(type: PhoneNumberType): PhoneType {
  switch (type) {
    case 'MOBILE':
    case 'FIXED_LINE':
    case 'FIXED_LINE_OR_MOBILE':
    case 'VOIP':
    case 'TOLL_FREE':
      return type;
    case 'PREMIUM_RATE':
    case 'SHARED_COST':
    case 'PERSONAL_NUMBER':
    case 'PAGER':
    case 'UAN':
    case 'VOICEMAIL':
      return 'OTHER';
  }
}
