import type { Locale } from '../leads/lead.ts';

/** What an assignee reads about a new lead, in the lead's language; `{name}` is the lead's. */
export const NEW_LEAD_TEXTS: Record<Locale, { title: string; message: string }> = {
  'pt-BR': { title: 'Novo Lead', message: 'Lead {name} foi criado e atribuído a você' },
  en: { title: 'New lead', message: 'Lead {name} was created and assigned to you' },
};
