import { createHash } from 'node:crypto';
import type { Prisma } from './generated/client.ts';

/** What an Idempotency-Key stands for. */
export interface OnceKey {
  /** Whose key it is: those of different organizations are different. */
  organizationId: string;
  /** As the caller has made it. */
  key: string;
  /** SHA-256 of the request: its method, path and body. */
  requestHash: string;
  ttlHours: number;
  /** The lead that the answer is about: it is forgotten when that is erased. */
  leadId?: string | undefined;
}

/** A key that was used for another request. */
export class KeyReused extends Error {
  override name = 'KeyReused';
  constructor() {
    super('Use a new Idempotency-Key for a new request.');
  }
}

/** The answer was about a person who was erased since. */
export class AnswerForgotten extends Error {
  override name = 'AnswerForgotten';
  constructor() {
    super('The lead of this request was erased.');
  }
}

/** How long a twin that is still running is waited for. */
const LOCK_TIMEOUT = '1500ms';

/**
 * Does work once for a key, and remembers what `keep` makes of its answer, in one transaction with the work.
 * @param keep what is stored: what must not be, such as a secret, is left out
 * @returns the answer, or what was kept of it when the work was done before
 * @throws KeyReused, AnswerForgotten; pg's `55P03` when a request with this key is still running; what the work throws
 */
export async function once<Answer, Kept>(
  tx: Prisma.TransactionClient,
  { organizationId, key, requestHash, ttlHours, leadId }: OnceKey,
  work: () => Promise<Answer>,
  keep: (answer: Answer) => Kept,
): Promise<{ done: Answer } | { doneBefore: Kept }> {
  const id = createHash('sha256').update(key).digest('hex');
  await tx.$executeRaw`SELECT set_config('lock_timeout', ${LOCK_TIMEOUT}, true)`;
  const taken = await tx.$executeRaw`
    INSERT INTO idempotency_key AS k (organization_id, key, request_hash, lead_id, expires_at)
    VALUES (${organizationId}, ${id}, ${requestHash}, ${leadId ?? null}::uuid,
            clock_timestamp() + ${ttlHours} * interval '1 hour')
    ON CONFLICT (organization_id, key) DO UPDATE
      SET request_hash = EXCLUDED.request_hash, expires_at = EXCLUDED.expires_at, created_at = clock_timestamp(),
          lead_id = EXCLUDED.lead_id, response = NULL, duplicate = false
      WHERE k.expires_at <= clock_timestamp()`;
  await tx.$executeRaw`SELECT set_config('lock_timeout', '0', true)`;
  const where = { organizationId_key: { organizationId, key: id } };
  if (taken === 0) {
    const known = await tx.idempotencyKey.findUniqueOrThrow({ where });
    const { leadId: about } = known;
    const isGone = about !== null && (await tx.leadRecord.count({ where: { id: about } })) === 0;
    if (known.response === null || isGone) throw new AnswerForgotten();
    if (known.requestHash !== requestHash) throw new KeyReused();
    return { doneBefore: (known.response as { kept: Kept }).kept };
  }
  const done = await work();
  await tx.idempotencyKey.update({
    where,
    data: { response: { kept: keep(done) } as unknown as Prisma.InputJsonObject },
    select: { key: true },
  });
  return { done };
}
