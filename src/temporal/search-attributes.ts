import { type Client, isGrpcServiceError, ServiceError } from '@temporalio/client';
import { defineSearchAttributeKey, type SearchAttributePair } from '@temporalio/common';
import { type LeadSource, SEARCH_ATTRIBUTES } from '../../workflows/contract.ts';
import { withDeadline } from './connection.ts';

const KEYWORD = 2; // temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
const ALREADY_EXISTS = 6;
/** PERMISSION_DENIED, UNIMPLEMENTED: Temporal Cloud, where attributes are made in its own console. */
const NOT_OURS_TO_MAKE = new Set([7, 12]);

const [leadId, organizationId, leadSource, onboardingState] = SEARCH_ATTRIBUTES;

/**
 * Makes the search attributes known to the cluster, unless they are there. Safe to repeat.
 * @returns undefined when runs can have them, else what somebody must mend before
 * @throws when Temporal is out of reach
 */
export async function registerSearchAttributes(client: Client): Promise<string | undefined> {
  const { namespace } = client.options;
  const { operatorService } = client.connection;
  try {
    const { customAttributes } = await withDeadline(client, () => operatorService.listSearchAttributes({ namespace }));
    const types = new Map(Object.entries(customAttributes));
    const mistyped = SEARCH_ATTRIBUTES.filter((name) => types.has(name) && Number(types.get(name)) !== KEYWORD);
    if (mistyped.length > 0) return `of another type than Keyword: ${mistyped.join(', ')}`;
    const missing = SEARCH_ATTRIBUTES.filter((name) => !types.has(name));
    if (missing.length === 0) return undefined;
    const searchAttributes = Object.fromEntries(missing.map((name) => [name, KEYWORD]));
    await withDeadline(client, () => operatorService.addSearchAttributes({ namespace, searchAttributes }));
  } catch (err) {
    const code = isGrpcServiceError(err) ? (err.code as number) : undefined;
    if (code === undefined || !(code === ALREADY_EXISTS || NOT_OURS_TO_MAKE.has(code))) throw err;
    if (code !== ALREADY_EXISTS) return `not there, or not for us to look up or to make (gRPC ${code})`;
  }
  return undefined;
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

const FAULTS = [
  /no mapping defined for search attribute/i,
  /search attribute .* is not defined/i,
  /invalid value for search attribute .* of type/i,
];

/**
 * Says whether a start failed because of how the cluster knows the attributes: not, as a new one or one that lost its
 * store, or as of another type. That is about every start, not about the one.
 */
export function isAttributeFault(err: unknown): boolean {
  const cause = err instanceof ServiceError ? err.cause : err;
  return isGrpcServiceError(cause) && FAULTS.some((fault) => fault.test(cause.details));
}
