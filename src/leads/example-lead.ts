/** The lead that the examples send: README, demo, OpenAPI document. */
export const EXAMPLE_LEAD = {
  organizationId: 'org-123',
  name: 'João Silva',
  email: 'joao@example.com',
  phone: '+55 11 98765-4321',
  company: 'Acme Corp',
  source: 'WEBSITE',
  assignedTo: 'user-456',
} as const;
