import type { ApiKey } from './api-key.ts';
import type { OperatorKeyView } from './operator-keys.ts';

/** A key in one line, for people. */
export function describeKey(key: ApiKey): string {
  return [key.id, key.organizationId, key.name, key.scopes.join(','), stateOf(key), useOf(key)].join('  ');
}

/** The key of an operator in one line, for people. */
export function describeOperatorKey({ id, name, ...times }: OperatorKeyView): string {
  const text = (time: Date | null) => time?.toISOString() ?? null;
  const key = {
    expiresAt: text(times.expiresAt),
    revokedAt: text(times.revokedAt),
    lastUsedAt: text(times.lastUsedAt),
  };
  return [id, 'operator', name, stateOf(key), useOf(key)].join('  ');
}

const useOf = ({ lastUsedAt }: Pick<ApiKey, 'lastUsedAt'>) =>
  lastUsedAt === null ? 'never used' : `last used ${lastUsedAt}`;

function stateOf({ expiresAt, revokedAt }: Pick<ApiKey, 'expiresAt' | 'revokedAt'>): string {
  if (revokedAt !== null) return `revoked ${revokedAt}`;
  if (expiresAt === null) return 'without end';
  return Date.parse(expiresAt) > Date.now() ? `until ${expiresAt}` : `expired ${expiresAt}`;
}
