import type { Prisma } from '../db/generated/client.ts';
import { KeyExceedsMaker, TooManyKeys } from './errors.ts';
import { MAX_KEYS } from './limits.ts';
import { mayGrant } from './scopes.ts';

/** Who makes a key: another key, and its holder's user; neither on the command line. */
export interface Maker {
  key: { id: string; scopes: readonly string[]; expiresAt: Date | null } | null;
  userId: string | null;
}

interface Wanted {
  organizationId: string;
  scopes: readonly string[];
  expiresAt: Date | null;
}

/**
 * Sees to it that a key is worth no more than the one that makes it: neither its scopes nor its lifetime.
 * @throws KeyExceedsMaker
 */
export function checkWithinMaker({ scopes, expiresAt }: Omit<Wanted, 'organizationId'>, maker: Maker['key']): void {
  if (!maker) return;
  const missing = scopes.filter((scope) => !mayGrant(maker.scopes, scope));
  if (missing.length > 0) {
    throw new KeyExceedsMaker(`A key gives on what it has itself: this one lacks ${missing.join(', ')}.`);
  }
  if (maker.expiresAt && (!expiresAt || expiresAt > maker.expiresAt)) {
    const latest = maker.expiresAt.toISOString();
    throw new KeyExceedsMaker(
      `A key does not outlive the one that makes it: name an expiresAt of ${latest} at the latest.`,
    );
  }
}

/**
 * Lets nobody else make, rotate or revoke keys of the organization until the transaction ends. So whoever revokes a key
 * sees what it has made, and it makes nothing after, although processes remember it for a few seconds more.
 * @throws KeyExceedsMaker when the maker was revoked
 */
export async function holdKeys(
  tx: Prisma.TransactionClient,
  organizationId: string,
  maker: Maker['key'],
): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`keys of ${organizationId}`}, 0))`;
  if (maker && (await tx.apiKey.count({ where: { id: maker.id, revokedAt: null } })) === 0) {
    throw new KeyExceedsMaker('This key was revoked: it makes no other.');
  }
}

/**
 * Sees to it that there is room for one more key, while those of its organization are held.
 * @throws TooManyKeys
 */
export async function checkRoom(
  tx: Prisma.TransactionClient,
  { organizationId }: Wanted,
  makerId: string | null,
): Promise<void> {
  const works = { organizationId, revokedAt: null, OR: [{ expiresAt: null }, { expiresAt: { gt: new Date() } }] };
  if ((await tx.apiKey.count({ where: works })) >= MAX_KEYS.ofOrganization) {
    throw new TooManyKeys(`This organization has ${MAX_KEYS.ofOrganization}`);
  }
  if (makerId !== null && (await tx.apiKey.count({ where: { ...works, madeByKey: makerId } })) >= MAX_KEYS.ofMaker) {
    throw new TooManyKeys(`This key has made ${MAX_KEYS.ofMaker}`);
  }
}
