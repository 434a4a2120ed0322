import { cleanName } from '../db/visible-text.ts';
import { type Locale, LOCALES } from '../leads/lead.ts';

const TEXTS: Record<Locale, { title: string; message: (name: string) => string }> = {
  'pt-BR': { title: 'Novo Lead', message: (name) => `Lead ${name} foi criado e atribuído a você` },
  en: { title: 'New lead', message: (name) => `Lead ${name} was created and assigned to you` },
};

/** What an assignee reads about a new lead, in the lead's language. */
export function newLeadNotification(lead: { id: string; name: string; locale: string }) {
  const texts = TEXTS[LOCALES.find((locale) => locale === lead.locale) ?? 'pt-BR'];
  return {
    type: 'INFO',
    title: texts.title,
    message: texts.message(cleanName(lead.name)), // it may have been stored before names were cleaned
    actionUrl: `/dashboard/leads/${lead.id}`,
  };
}
