import { createHash } from 'node:crypto';
import { type Lead, type LeadFields, toLead } from './lead.ts';

/** A lead as the API answers it, and the validator of this state of it. */
export interface TaggedLead {
  lead: Lead;
  etag: string;
}

/**
 * A stored row → the lead with its ETag, `"<version>-<digest>"`. The digest tells any two states apart, as a strong
 * validator must (https://www.rfc-editor.org/rfc/rfc9110#section-8.8.1); the version counts changes of callers only.
 */
export function tagLead(row: LeadFields & { version: number }): TaggedLead {
  const lead = toLead(row);
  const digest = createHash('sha256').update(JSON.stringify(lead)).digest('base64url').slice(0, 22);
  return { lead, etag: `"${row.version}-${digest}"` };
}

/**
 * Says whether an `If-Match` names this version of a lead. What the onboarding has added since does not count: an
 * editor is held up by other editors only. Nor does `W/`, which proxies that compress put before a tag.
 */
export function namesVersion(ifMatch: string, version: number): boolean {
  const tags = ifMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return ifMatch === '*' || tags.some((tag) => tag.startsWith(`"${version}-`));
}
