import { request } from 'node:http';

export interface PostAnswer {
  status: number;
  body: { id?: string; duplicate?: boolean };
  durationMs: number;
}

/** Nobody answered: `refused` before the request went out, `cut` after, or `late`. */
export class NoAnswer extends Error {
  readonly kind: 'refused' | 'cut' | 'late';

  constructor(kind: NoAnswer['kind']) {
    super(`The request was ${kind}`);
    this.kind = kind;
  }
}

/** Past this a caller has gone away. */
const GIVE_UP_AFTER_MS = 10_000;

/**
 * Posts a lead over a connection of its own, so that a cut request is not mistaken for an old connection that was closed.
 * @throws NoAnswer
 */
export function postLead(url: string, lead: object, idempotencyKey: string): Promise<PostAnswer> {
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    const outgoing = request(`${url}/api/leads`, {
      method: 'POST',
      agent: false,
      headers: { 'content-type': 'application/json', 'idempotency-key': idempotencyKey },
      timeout: GIVE_UP_AFTER_MS,
    });
    outgoing.on('timeout', () => outgoing.destroy(new NoAnswer('late')));
    outgoing.on('error', (err: NodeJS.ErrnoException) => {
      reject(err instanceof NoAnswer ? err : new NoAnswer(err.code === 'ECONNREFUSED' ? 'refused' : 'cut'));
    });
    outgoing.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', () => reject(new NoAnswer('cut')));
      response.on('end', () => {
        const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as PostAnswer['body'];
        resolve({ status: response.statusCode ?? 0, body, durationMs: performance.now() - startedAt });
      });
    });
    outgoing.end(JSON.stringify(lead));
  });
}
