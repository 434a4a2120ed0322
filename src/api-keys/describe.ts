import type { ApiKey } from './api-key.ts';

/** A key in one line, for people. */
export function describeKey(key: ApiKey): string {
  const use = key.lastUsedAt === null ? 'never used' : `last used ${key.lastUsedAt}`;
  return [key.id, key.organizationId, key.name, key.scopes.join(','), stateOf(key), use].join('  ');
}

function stateOf({ expiresAt, revokedAt }: ApiKey): string {
  if (revokedAt !== null) return `revoked ${revokedAt}`;
  if (expiresAt === null) return 'without end';
  return Date.parse(expiresAt) > Date.now() ? `until ${expiresAt}` : `expired ${expiresAt}`;
}
