import { uuidv7 } from 'uuidv7';
import type { Prisma, WebhookEndpoint as EndpointRow } from '../db/generated/client.ts';
import { newerBy, decodeCursor, toPage } from '../db/paging.ts';
import { type Endpoint, type EndpointChange, type NewEndpoint, toEndpoint } from './endpoint.ts';
import { EndpointNotFound, TooManyEndpoints } from './errors.ts';
import { MAX_ENDPOINTS } from './limits.ts';
import { newSecret } from './secret.ts';

type Tx = Prisma.TransactionClient;

/**
 * Makes an endpoint, which is told of what happens from now on.
 * @returns it, with its secret
 * @throws TooManyEndpoints
 */
export async function createEndpoint(tx: Tx, organizationId: string, endpoint: Omit<NewEndpoint, 'organizationId'>) {
  if ((await tx.webhookEndpoint.count({ where: { organizationId } })) >= MAX_ENDPOINTS) {
    throw new TooManyEndpoints(`There are ${MAX_ENDPOINTS} webhook endpoints, which is the most: delete some first.`);
  }
  const { url, description, types, includePersonalData: withPersons } = endpoint;
  const secret = newSecret();
  const row = await tx.webhookEndpoint.create({
    data: { id: uuidv7(), organizationId, url, description, types: types ?? [], withPersons, secret },
  });
  return { ...toEndpoint(row, { setAside: 0, givenUp: 0 }), secret };
}

/** @throws EndpointNotFound */
export async function readEndpoint(db: Tx, id: string): Promise<Endpoint> {
  const row = await db.webhookEndpoint.findUnique({ where: { id } });
  if (!row) throw new EndpointNotFound(id);
  return withCounts(db, row);
}

/** An organization's endpoints, or those of all and the operator's, the oldest first. @throws CursorError */
export async function listEndpoints(
  db: Tx,
  { organizationId, limit, cursor }: { organizationId: string | undefined; limit: number; cursor?: string | undefined },
): Promise<{ items: Endpoint[]; nextCursor: string | null }> {
  const position = cursor === undefined ? undefined : decodeCursor(cursor);
  const rows = await db.webhookEndpoint.findMany({
    where: {
      ...(organizationId !== undefined && { organizationId }),
      ...(position && newerBy('createdAt', 'id', position)),
    },
    orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
    take: limit + 1,
  });
  const endpoints = [];
  for (const row of rows) endpoints.push(await withCounts(db, row));
  return toPage(
    endpoints,
    limit,
    ({ createdAt, id }) => ({ at: new Date(createdAt), id }),
    (endpoint) => endpoint,
  );
}

async function withCounts(db: Tx, row: EndpointRow): Promise<Endpoint> {
  const count = (failedAt: null | { not: null }) =>
    db.webhookDelivery.count({ where: { endpointId: row.id, failedAt } });
  return toEndpoint(row, { setAside: await count(null), givenUp: await count({ not: null }) });
}

/**
 * Changes an endpoint. One that goes on after a pause, or elsewhere, is tried at once, whatever it failed at.
 * @throws EndpointNotFound
 */
export async function changeEndpoint(tx: Tx, id: string, change: EndpointChange): Promise<Endpoint> {
  const before = await lockEndpoint(tx, id);
  const { url, description, types, includePersonalData, state } = change;
  const beginsAnew = state === 'active' || (url !== undefined && url !== before.url);
  const row = await tx.webhookEndpoint.update({
    where: { id },
    data: {
      updatedAt: new Date(),
      ...(url !== undefined && { url }),
      ...(description !== undefined && { description }),
      ...(types !== undefined && { types: types ?? [] }),
      ...(includePersonalData !== undefined && { withPersons: includePersonalData }),
      ...(state === 'paused' && { paused: 'requested' }),
      ...(state === 'active' && { paused: null }),
      ...(beginsAnew && { failures: 0, failingSince: null, nextAt: new Date() }),
    },
  });
  if (beginsAnew) {
    const aside = { endpointId: id, failedAt: null };
    await tx.webhookDelivery.updateMany({ where: aside, data: { nextAt: new Date() } });
  }
  return withCounts(tx, row);
}

/**
 * Gives an endpoint another secret. The one before signs as well for so long, so that a receiver can change over.
 * @returns it, with its secret
 * @throws EndpointNotFound
 */
export async function rotateSecret(tx: Tx, id: string, keepOldForMs: number) {
  const { secret: oldSecret } = await lockEndpoint(tx, id);
  const secret = newSecret();
  const oldSecretUntil = new Date(Date.now() + keepOldForMs);
  const row = await tx.webhookEndpoint.update({
    where: { id },
    data: { secret, oldSecret, oldSecretUntil, updatedAt: new Date() },
  });
  return { ...(await withCounts(tx, row)), secret };
}

/** Deletes an endpoint, with its attempts and what it has not taken. @throws EndpointNotFound */
export async function deleteEndpoint(tx: Tx, id: string): Promise<EndpointRow> {
  const row = await lockEndpoint(tx, id);
  await tx.webhookEndpoint.delete({ where: { id } });
  return row;
}

/** Holds an endpoint until the transaction ends. @throws EndpointNotFound */
export async function lockEndpoint(tx: Tx, id: string): Promise<EndpointRow> {
  await tx.$queryRaw`SELECT 1 FROM webhook_endpoint WHERE id = ${id}::uuid FOR UPDATE`;
  const row = await tx.webhookEndpoint.findUnique({ where: { id } });
  if (!row) throw new EndpointNotFound(id);
  return row;
}
