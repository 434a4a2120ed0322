import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { uuidv7 } from 'uuidv7';
import { databaseFault } from '../db/faults.ts';
import { Prisma, type PrismaClient } from '../db/generated/client.ts';
import { openDatabase } from '../db/open.ts';
import { createLogger } from '../telemetry/logger.ts';

/** What commands have from the process that runs them. */
export interface Shell {
  program: Command;
  /** Does something in the database of the process' environment. */
  run(work: (db: PrismaClient) => Promise<void>): Promise<void>;
}

/**
 * The shell of a command that works straight in the database of `DATABASE_URL`.
 * @param readEnvironment of `.env` and the process
 */
export function createShell(
  program: Command,
  name: string,
  readEnvironment: (variables: NodeJS.ProcessEnv) => Parameters<typeof openDatabase>[0],
): Shell {
  return {
    program,
    async run(work) {
      if (existsSync('.env')) process.loadEnvFile();
      const log = createLogger(name, 'silent');
      const { prisma, close } = openDatabase(readEnvironment(process.env), { name, connections: 1, log });
      try {
        await work(prisma);
      } finally {
        await close();
      }
    },
  };
}

/** Runs a command to its end: what goes wrong is told in a line. */
export async function runCommand(program: Command): Promise<void> {
  try {
    await program.parseAsync();
  } catch (err) {
    console.error(explain(err));
    process.exitCode = 1;
  }
}

/** What a failure means to whoever typed the command. Prisma's own messages are pages of code. */
function explain(err: unknown): string {
  if (databaseFault(err)) return 'The database of DATABASE_URL does not answer: start it, or correct the variable.';
  if (!(err instanceof Prisma.PrismaClientKnownRequestError)) return err instanceof Error ? err.message : String(err);
  return err.code === 'P2021' ? 'The database lacks a table: run npm run db:deploy.' : `Prisma error ${err.code}`;
}

/** Shows a value: as JSON where that is asked for, otherwise the text. */
export const print = ({ program }: Shell, value: unknown, text: string): void =>
  console.log(program.opts()['json'] ? JSON.stringify(value) : text);

/** In the audit the command line stands for the key that a caller would have. */
export const commandLine = () => ({
  keyId: null,
  userId: `command line: ${userName()}`,
  ipAddress: null,
  userAgent: null,
  requestId: uuidv7(),
});

/** A container's user need not have a name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.()}`;
  }
}
