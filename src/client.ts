import { hc } from 'hono/client';
import type { Api } from './http/api.ts';

export interface LeadClientOptions {
  /** `lok_…`; needed unless the API works without keys. */
  apiKey?: string;
  /** Names the user for the audit. */
  actorId?: string;
  /** In place of the global one. */
  fetch?: typeof fetch;
}

/**
 * A typed client of the API at `baseUrl`: a call for each path and method, with their parameters, and answers typed by
 * status. Nothing is thrown for a problem: look at `status`, or at `ok`.
 */
export const createLeadClient = (baseUrl: string, { apiKey, actorId, ...options }: LeadClientOptions = {}) =>
  hc<Api>(baseUrl, {
    ...options,
    headers: {
      ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
      ...(actorId !== undefined && { 'x-actor-id': actorId }),
    },
  });

export type LeadClient = ReturnType<typeof createLeadClient>;
