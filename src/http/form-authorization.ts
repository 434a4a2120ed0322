import type { LeadForm } from '../forms/lead-form.ts';
import { Problem } from './problem.ts';

/**
 * Tells which organization the lead of a form is for. A plain form cannot send a header, so its key is a field of its
 * own; without keys the form names the organization, and the field is not looked at.
 */
export function authorizeForm({ organizationId }: Pick<LeadForm, 'key' | 'organizationId'>): string {
  if (organizationId !== undefined) return organizationId;
  const errors = [{ path: 'organizationId', message: 'is needed while the API works without keys' }];
  throw new Problem(400, 'invalid-request', 'Correct the body: see errors.', { errors });
}
