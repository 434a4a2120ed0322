/** What the API did not do; its message says why, with each field at fault. */
export class OpsError extends Error {
  override name = 'OpsError';
  /** Of the answer; undefined when there was none. */
  readonly status: number | undefined;

  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }
}

export interface OpsClientOptions {
  /** Where the API is. */
  url: string;
  /** An operator's; undefined where the API works without. */
  key?: string | undefined;
  /** Who acts, for the audit. */
  actor?: string | undefined;
}

export interface OpsClient {
  /** @throws OpsError */
  call<Body>(method: string, path: string, body?: object): Promise<Body>;
}

const DEADLINE_MS = 10_000;

/** Calls the `/ops` API, for what shows it to people. */
export function createOpsClient({ url, key, actor }: OpsClientOptions): OpsClient {
  return {
    async call<Body>(method: string, path: string, body?: object) {
      const answer = await fetch(new URL(path, url), {
        method,
        headers: toHeaders({
          ...(key !== undefined && { authorization: `Bearer ${key}` }),
          ...(actor !== undefined && { 'x-actor-id': actor }),
          ...(body && { 'content-type': 'application/json' }),
        }),
        ...(body && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(DEADLINE_MS),
      }).catch(() => {
        throw new OpsError(`Nobody answers at ${url}: start the API, or correct OPS_URL.`);
      });
      if (!answer.ok) throw new OpsError(await explain(answer), answer.status);
      return (await answer.json()) as Body;
    },
  };
}

/** @throws OpsError for what no header can carry */
function toHeaders(headers: Record<string, string>): Headers {
  try {
    return new Headers(headers);
  } catch {
    throw new OpsError('The key or the name of who acts has a character outside of Latin-1: write it without.', 400);
  }
}

/** What a problem document says, with each field at fault. */
async function explain(answer: Response): Promise<string> {
  const problem = (await answer.json().catch(() => ({}))) as {
    detail?: string;
    errors?: { path: string; message: string }[];
  };
  const fields = problem.errors?.map(({ path, message }) => `${path} ${message}`) ?? [];
  return [problem.detail ?? `The answer is ${answer.status}.`, ...fields].join('\n');
}
