import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import type { ApiKey, IssuedKey } from './api-keys/api-key.ts';
import { describeKey, describeOperatorKey } from './api-keys/describe.ts';
import { KEEP_OLD_HOURS } from './api-keys/limits.ts';
import { createKey, listKeys, revokeKey, rotateKey } from './api-keys/manage.ts';
import { newKeySchema } from './api-keys/new-key.ts';
import { createOperatorKey, listOperatorKeys, revokeOperatorKey } from './api-keys/operator-keys.ts';
import { API_SCOPES, type ApiScope, FORM_SCOPE } from './api-keys/scopes.ts';
import { type NewOperatorAction, recordOperatorAction } from './audit/operator-action.ts';
import { type AuditEntry, recordAudit } from './audit/record.ts';
import { databaseFault } from './db/faults.ts';
import { Prisma, type PrismaClient } from './db/generated/client.ts';
import { openDatabase } from './db/open.ts';
import { readEnvironment } from './process/environment.ts';
import { createLogger } from './telemetry/logger.ts';

const MS_PER_HOUR = 3_600_000;
const PAGE = 100;

const { organizationId, name, scopes } = newKeySchema.shape;
const count = z.coerce.number('must be a whole number').int('must be a whole number').max(36_500);

const program = new Command('npm run -s keys --')
  .description('API keys of any organization, straight in the database of DATABASE_URL.')
  .option('--json', 'print JSON');

program
  .command('create')
  .description('make a key; its token is printed this once')
  .requiredOption('--organization <id>', 'whose rows it opens', valid(organizationId))
  .requiredOption('--name <text>', 'what it is for', valid(name))
  .requiredOption(
    '--scopes <list>',
    `${API_SCOPES.join(',')}: some of them, or all but ${FORM_SCOPE}, which goes alone`,
    readScopes,
  )
  .option('--expires-in-days <n>', 'without it the key has no end', valid(count.min(1)))
  .action((options: { organization: string; name: string; scopes: ApiScope[]; expiresInDays?: number }) =>
    run(async (db) => {
      const { organization, expiresInDays: days, ...key } = options;
      const expiresAt = endAfter(days);
      const made = await db.$transaction(async (tx) => {
        const issued = await createKey(tx, { ...key, organizationId: organization, expiresAt });
        const { name, scopes } = issued;
        await note(tx, { ...issued, action: 'key.created', subject: issued.id, data: { name, scopes } });
        return issued;
      });
      printIssued(made, describeKey(made));
    }),
  );

program
  .command('list')
  .description('show keys, the newest first, also those that have ended')
  .option('--organization <id>', 'of this one only', valid(organizationId))
  .action(({ organization }: { organization?: string }) =>
    run(async (db) => {
      const keys = await readAll(db, organization);
      print(keys, keys.map(describeKey).join('\n'));
    }),
  );

program
  .command('rotate')
  .description('replace a key by a new one; its token is printed this once')
  .argument('<id>', 'of the old key', valid(z.uuid('must be the id of a key')))
  .option('--keep-old-for-hours <n>', 'for which the old key works on', valid(count.min(0)), KEEP_OLD_HOURS.preset)
  .action((id: string, { keepOldForHours }: { keepOldForHours: number }) =>
    run(async (db) => {
      const made = await db.$transaction(async (tx) => {
        const key = await rotateKey(tx, id, keepOldForHours * MS_PER_HOUR);
        await note(tx, { ...key, action: 'key.rotated', subject: id, data: { by: key.id } });
        return key;
      });
      printIssued(made, describeKey(made));
    }),
  );

program
  .command('revoke')
  .description('end a key: it is refused everywhere within 5 s')
  .argument('<id>', 'of the key', valid(z.uuid('must be the id of a key')))
  .option('--descendants', 'the keys as well that it has made, and those that these have made')
  .action((id: string, { descendants = false }: { descendants?: boolean }) =>
    run(async (db) => {
      const ids = await db.$transaction(async (tx) => {
        const revoked = await revokeKey(tx, id, descendants);
        for (const subject of revoked.ids) await note(tx, { ...revoked, action: 'key.revoked', subject });
        return revoked.ids;
      });
      const ended = [...new Set([id, ...ids])];
      print({ id, revoked: true, ids: ended }, ended.map((one) => `${one} is revoked`).join('\n'));
    }),
  );

program
  .command('create-operator')
  .description('make a key for /ops, which is about all organizations; its token is printed this once')
  .requiredOption('--name <text>', 'whose it is, or what it is for', valid(name))
  .option('--expires-in-days <n>', 'without it the key has no end', valid(count.min(1)))
  .action(({ name: called, expiresInDays }: { name: string; expiresInDays?: number }) =>
    run(async (db) => {
      const made = await db.$transaction(async (tx) => {
        const key = await createOperatorKey(tx, { name: called, expiresAt: endAfter(expiresInDays) });
        await noteOperator(tx, { action: 'operator-key.created', subject: key.id, data: { name: called } });
        return key;
      });
      printIssued(made, describeOperatorKey(made));
    }),
  );

program
  .command('list-operators')
  .description('show keys of operators, the newest first, also those that have ended')
  .action(() =>
    run(async (db) => {
      const keys = await listOperatorKeys(db);
      print(keys, keys.map(describeOperatorKey).join('\n'));
    }),
  );

program
  .command('revoke-operator')
  .description('end a key of an operator: it is refused everywhere within 5 s')
  .argument('<id>', 'of the key', valid(z.uuid('must be the id of a key')))
  .action((id: string) =>
    run(async (db) => {
      await db.$transaction(async (tx) => {
        if (await revokeOperatorKey(tx, id)) await noteOperator(tx, { action: 'operator-key.revoked', subject: id });
      });
      print({ id, revoked: true }, `${id} is revoked`);
    }),
  );

const endAfter = (days: number | undefined) =>
  days === undefined ? null : new Date(Date.now() + days * 24 * MS_PER_HOUR);

/** In the audit the command line stands for the key that a caller would have. */
const commandLine = () => ({
  keyId: null,
  userId: `command line: ${userName()}`,
  ipAddress: null,
  userAgent: null,
  requestId: uuidv7(),
});

function note(tx: Prisma.TransactionClient, entry: AuditEntry): Promise<void> {
  const { organizationId, action, subject, data } = entry;
  return recordAudit(tx, { organizationId, action, subject, ...(data && { data }) }, commandLine());
}

const noteOperator = (tx: Prisma.TransactionClient, action: Omit<NewOperatorAction, 'reason'>): Promise<void> =>
  recordOperatorAction(tx, { ...action, reason: 'command line' }, commandLine());

/** A container's user need not have a name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.()}`;
  }
}

/** Reads an option by a schema, and refuses it in the schema's words. */
function valid<T>(schema: z.ZodType<T>): (value: unknown) => T {
  return (value) => {
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    throw new InvalidArgumentError(`It ${parsed.error.issues.map(({ message }) => message).join('; ')}.`);
  };
}

function readScopes(list: string): ApiScope[] {
  return list === 'all' ? API_SCOPES.filter((scope) => scope !== FORM_SCOPE) : valid(scopes)(list.split(','));
}

async function run(work: (db: PrismaClient) => Promise<void>): Promise<void> {
  if (existsSync('.env')) process.loadEnvFile();
  const log = createLogger('keys', 'silent');
  const { prisma, close } = openDatabase(readEnvironment(process.env), { name: 'keys', connections: 1, log });
  try {
    await work(prisma);
  } finally {
    await close();
  }
}

async function readAll(db: PrismaClient, organization: string | undefined): Promise<ApiKey[]> {
  const keys: ApiKey[] = [];
  let cursor: string | undefined;
  do {
    const page = await listKeys(db, { organizationId: organization, limit: PAGE, cursor });
    keys.push(...page.items);
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return keys;
}

const print = (value: unknown, text: string) => console.log(program.opts().json ? JSON.stringify(value) : text);

/** The token alone goes to stdout, so that a script can take it from there. */
function printIssued(key: Pick<IssuedKey, 'token'>, described: string): void {
  print(key, key.token);
  if (!program.opts().json) console.error(`${described}\nThe token is not kept, and cannot be shown again.`);
}

/** What a failure means to whoever typed the command. Prisma's own messages are pages of code. */
function explain(err: unknown): string {
  if (databaseFault(err)) return 'The database of DATABASE_URL does not answer: start it, or correct the variable.';
  if (!(err instanceof Prisma.PrismaClientKnownRequestError)) return err instanceof Error ? err.message : String(err);
  return err.code === 'P2021'
    ? 'The database has no table for keys: run npm run db:deploy.'
    : `Prisma error ${err.code}`;
}

try {
  await program.parseAsync();
} catch (err) {
  console.error(explain(err));
  process.exitCode = 1;
}
