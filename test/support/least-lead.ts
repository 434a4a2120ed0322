/** The least that a lead is made of. */
export const LEAST_LEAD = { organizationId: 'org-1', name: 'Ana' };

/** That lead, with what it has by default. */
export const LEAST_LEAD_STORED = {
  ...LEAST_LEAD,
  email: null,
  phone: null,
  company: null,
  status: 'NEW',
  source: 'WEBSITE',
  assignedTo: null,
  priority: 'NORMAL',
  locale: 'pt-BR',
  attributes: {},
};
