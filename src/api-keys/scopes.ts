/** What a key may be good for. */
export const API_SCOPES = [
  'leads:create',
  'leads:read',
  'leads:write',
  'leads:erase',
  'events',
  'webhooks',
  'notifications',
  'rules',
  'forms',
  'ops',
] as const;
export type ApiScope = (typeof API_SCOPES)[number];

/** Of keys that stand in public pages: they go with no other scope. What they open, taking leads in, others open too. */
export const FORM_SCOPE = 'forms' satisfies ApiScope;

/** Says whether a key with these scopes may give a scope on: what it has itself, and that which is less than what it has. */
export const mayGrant = (own: readonly string[], scope: string): boolean =>
  own.includes(scope) || (scope === FORM_SCOPE && own.includes('leads:create' satisfies ApiScope));
