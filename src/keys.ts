import { existsSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import { z } from 'zod';
import type { ApiKey, IssuedKey } from './api-keys/api-key.ts';
import { describeKey } from './api-keys/describe.ts';
import { createKey, listKeys, revokeKey, rotateKey } from './api-keys/manage.ts';
import { newKeySchema } from './api-keys/new-key.ts';
import { API_SCOPES, type ApiScope, FORM_SCOPE } from './api-keys/scopes.ts';
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
      const expiresAt = days === undefined ? null : new Date(Date.now() + days * 24 * MS_PER_HOUR);
      printIssued(await createKey(db, { ...key, organizationId: organization, expiresAt }));
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
  .option('--keep-old-for-hours <n>', 'for which the old key works on', valid(count.min(0)), 0)
  .action((id: string, { keepOldForHours }: { keepOldForHours: number }) =>
    run(async (db) => {
      printIssued(await db.$transaction((tx) => rotateKey(tx, id, keepOldForHours * MS_PER_HOUR)));
    }),
  );

program
  .command('revoke')
  .description('end a key: it is refused everywhere within 5 s')
  .argument('<id>', 'of the key', valid(z.uuid('must be the id of a key')))
  .action((id: string) =>
    run(async (db) => {
      await revokeKey(db, id);
      print({ id, revoked: true }, `${id} is revoked`);
    }),
  );

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
function printIssued(key: IssuedKey): void {
  print(key, key.token);
  if (!program.opts().json) console.error(`${describeKey(key)}\nThe token is not kept, and cannot be shown again.`);
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
