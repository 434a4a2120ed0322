import { type Client, isGrpcServiceError, ServiceError } from '@temporalio/client';
import { defineSearchAttributeKey, type SearchAttributePair } from '@temporalio/common';
import { type LeadSource, SEARCH_ATTRIBUTES } from '../../workflows/contract.ts';
import { withDeadline } from './connection.ts';

const KEYWORD = 2; // temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
const ALREADY_EXISTS = 6;

const [leadId, organizationId, leadSource, onboardingState] = SEARCH_ATTRIBUTES;

/**
 * Makes the search attributes known to the cluster. Safe to repeat.
 * @throws when Temporal is out of reach or refuses; runs are started without attributes until it went well.
 */
export async function registerSearchAttributes(client: Client): Promise<void> {
  try {
    await withDeadline(client, () =>
      client.connection.operatorService.addSearchAttributes({
        namespace: client.options.namespace,
        searchAttributes: Object.fromEntries(SEARCH_ATTRIBUTES.map((name) => [name, KEYWORD])),
      }),
    );
  } catch (err) {
    if (!isGrpcServiceError(err) || (err.code as number) !== ALREADY_EXISTS) throw err;
  }
}

/** The attributes that the run of a lead starts with. */
export function startAttributes(lead: {
  leadId: string;
  organizationId: string;
  source: LeadSource;
}): SearchAttributePair[] {
  return [
    { key: defineSearchAttributeKey(leadId, 'KEYWORD'), value: lead.leadId },
    { key: defineSearchAttributeKey(organizationId, 'KEYWORD'), value: lead.organizationId },
    { key: defineSearchAttributeKey(leadSource, 'KEYWORD'), value: lead.source },
    { key: defineSearchAttributeKey(onboardingState, 'KEYWORD'), value: 'RUNNING' },
  ];
}

/** Says whether a start failed because the cluster does not know the attributes: a new cluster, or one that lost its store. */
export function isUnknownAttribute(err: unknown): boolean {
  const cause = err instanceof ServiceError ? err.cause : err;
  return (
    isGrpcServiceError(cause) &&
    /no mapping defined for search attribute|search attribute .* is not defined/i.test(cause.details)
  );
}
