import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { addOperatorKeys } from './api-keys/commands/operator-keys.ts';
import { addOrganizationKeys } from './api-keys/commands/organization-keys.ts';
import { databaseFault } from './db/faults.ts';
import { Prisma, type PrismaClient } from './db/generated/client.ts';
import { openDatabase } from './db/open.ts';
import { readEnvironment } from './process/environment.ts';
import { createLogger } from './telemetry/logger.ts';

const program = new Command('npm run -s keys --')
  .description('API keys of any organization, straight in the database of DATABASE_URL.')
  .option('--json', 'print JSON');
addOrganizationKeys({ program, run });
addOperatorKeys({ program, run });

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
