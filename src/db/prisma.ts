import { PrismaPg } from '@prisma/adapter-pg';
import type pg from 'pg';
import { PrismaClient } from './generated/client.ts';

/** Longer than the pool waits for a connection: its error says what is wrong, Prisma's only that it took too long. */
const MAX_WAIT_MS = 5_000;

/** A Prisma client on a pool that somebody else opened and closes. */
export function createPrisma(pool: pg.Pool): PrismaClient {
  return new PrismaClient({ adapter: new PrismaPg(pool), transactionOptions: { maxWait: MAX_WAIT_MS } });
}
