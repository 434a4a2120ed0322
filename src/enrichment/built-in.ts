import { companyProvider } from './company-provider.ts';
import { emailProvider } from './email-provider.ts';
import { phoneProvider } from './phone-provider.ts';
import type { EnrichmentProvider } from './provider.ts';

/** The providers that need no network, in the order in which they are asked: the last reads what the others found. */
export const builtInProviders: readonly EnrichmentProvider[] = [emailProvider, phoneProvider, companyProvider];
