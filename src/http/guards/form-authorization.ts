import type { Context } from 'hono';
import type { Keyring, VerifiedKey } from '../../api-keys/keyring.ts';
import { FORM_SCOPE } from '../../api-keys/scopes.ts';
import type { LeadForm } from '../../forms/lead-form.ts';
import { tooManyGuesses } from './authentication.ts';
import { organizationOf } from './authorization.ts';
import type { HttpEnv } from '../context.ts';
import { Problem } from '../answers/problem.ts';

/**
 * Tells which organization the lead of a form is for. A plain form cannot send a header: its key is a field. Without
 * keys the form names the organization, and the field is not looked at.
 */
export async function authorizeForm(
  c: Context<HttpEnv>,
  keyring: Keyring | 'off',
  { key, organizationId }: Pick<LeadForm, 'key' | 'organizationId'>,
  sender: string,
): Promise<string> {
  if (keyring !== 'off') c.set('key', await verifyFormKey(keyring, key, sender));
  return organizationOf(c, organizationId);
}

async function verifyFormKey(keyring: Keyring, token: string | undefined, sender: string): Promise<VerifiedKey> {
  const key = token === undefined ? 'unknown' : await keyring.verify(token, sender);
  if (key === 'too-many') throw tooManyGuesses();
  if (typeof key === 'string') {
    throw new Problem(403, 'forbidden', `Put a key with the scope ${FORM_SCOPE} into the field key.`);
  }
  if (key.scopes.some((scope) => scope !== FORM_SCOPE)) {
    throw new Problem(
      403,
      'forbidden',
      `Use a key that has the scope ${FORM_SCOPE} alone, and revoke this one: it can do more, and a form is public.`,
    );
  }
  return key;
}
