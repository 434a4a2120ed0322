/** What a key may be good for. */
export const API_SCOPES = ['leads:read', 'leads:write', 'notifications', 'rules', 'forms', 'ops'] as const;
/** Of keys that stand in public pages: they go with no other scope. */
export const FORM_SCOPE = 'forms' satisfies (typeof API_SCOPES)[number];
export type ApiScope = (typeof API_SCOPES)[number];
