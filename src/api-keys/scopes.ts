/** What a key may be good for. */
export const API_SCOPES = ['leads:read', 'leads:write', 'notifications', 'rules', 'ops'] as const;
export type ApiScope = (typeof API_SCOPES)[number];
