/** A call that did not go well; its message is one line that says what to do. */
export class ApiError extends Error {
  override name = 'ApiError';
}

export interface TimelineEntry {
  id: string;
  type: string;
  elapsedMs: number;
  data: Record<string, unknown>;
}

export interface ApiClient {
  createLead(lead: object): Promise<{ lead: { id: string; name: string }; duplicate: boolean }>;
  readTimeline(leadId: string): Promise<TimelineEntry[]>;
  readTemporalUrl(leadId: string): Promise<string>;
}

const ANSWER_WITHIN_MS = 10_000;

/** The calls of the demo. `key` is for an API that wants one. */
export function createApiClient(url: string, key: string | undefined): ApiClient {
  const headers = {
    'content-type': 'application/json',
    ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
  };

  async function call(method: 'GET' | 'POST', path: string, body?: object): Promise<unknown> {
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
    const request = { method, headers, signal, ...(body && { body: JSON.stringify(body) }) };
    const response = await fetch(`${url}${path}`, request).catch(() => {
      throw new ApiError(`The API does not answer at ${url}: run npm start in another terminal, or say --url`);
    });
    const answer: unknown = await response.json().catch(() => undefined);
    if (response.ok && answer !== undefined) return answer;
    const { title, detail } = (answer ?? {}) as { title?: string; detail?: string };
    const hint = response.status === 401 || response.status === 403 ? ': pass an API key with --key' : '';
    const what = [title, detail].filter(Boolean).join(', ') || 'not the API of this project';
    throw new ApiError(`${method} ${url}${path} answered ${response.status} (${what})${hint}`);
  }

  return {
    async createLead(lead) {
      const answer = (await call('POST', '/api/leads', lead)) as { id: string; name: string; duplicate?: boolean };
      return { lead: answer, duplicate: answer.duplicate === true };
    },
    async readTimeline(leadId) {
      return ((await call('GET', `/api/leads/${leadId}/timeline?limit=500`)) as { items: TimelineEntry[] }).items;
    },
    async readTemporalUrl(leadId) {
      return ((await call('GET', `/api/leads/${leadId}/onboarding`)) as { temporalUrl: string }).temporalUrl;
    },
  };
}
