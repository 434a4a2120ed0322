import { type Share, unshared } from './fair-share.ts';
import { Prisma, type PrismaClient } from './generated/client.ts';

/** Sees the rows of the organization that a transaction names, and no others; made by a migration. */
export const API_ROLE = 'lead_api';

type Work<T> = (db: Prisma.TransactionClient) => Promise<T>;
/** Says when something may run. */
type Limit = <T>(run: () => Promise<T>) => Promise<T>;
const atOnce: Limit = (run) => run();

/** The database as one caller may see it. */
export interface Tenant {
  /**
   * Runs queries that belong together and change nothing.
   * @param limit of what others do as well: an organization that waits for its share takes none of its places
   */
  read<T>(work: Work<T>, limit?: Limit): Promise<T>;
  /** Runs the work in one transaction: when it throws, nothing is stored. */
  write<T>(work: Work<T>): Promise<T>;
}

/** The rows of all organizations: for an API without keys. */
export function everyTenant(prisma: PrismaClient): Tenant {
  return { read: (work, limit = atOnce) => limit(() => work(prisma)), write: (work) => prisma.$transaction(work) };
}

/**
 * The rows of one organization. Two walls, each enough on its own: every query of a model gets the organization as a
 * filter here, and Postgres, told for the transaction, hides the rows of others from raw statements as well.
 * @param share what the organization may have under way of all that the API can do at once
 */
export function tenantOf(prisma: PrismaClient, organizationId: string, share: Share = unshared): Tenant {
  const run = <T>(work: Work<T>) =>
    prisma.$extends(filterBy(organizationId)).$transaction(async (tx) => {
      await tx.$queryRaw`SELECT set_config('app.organization_id', ${organizationId}, true)`;
      return work(tx as unknown as Prisma.TransactionClient);
    });
  return {
    read: (work, limit = atOnce) => share(organizationId, () => limit(() => run(work))),
    write: (work) => share(organizationId, () => run(work)),
  };
}

/** Every model has `organizationId`; what is created names it in its data. */
function filterBy(organizationId: string) {
  return Prisma.defineExtension({
    query: {
      $allModels: {
        $allOperations: ({ operation, args, query }) =>
          query(operation.startsWith('create') ? args : withFilter(args, { organizationId })),
      },
    },
  });
}

interface Filtered {
  where?: { AND?: object | object[] };
}

function withFilter(args: Filtered, filter: object): Filtered {
  return { ...args, where: { ...args.where, AND: [args.where?.AND ?? [], filter].flat() } };
}
