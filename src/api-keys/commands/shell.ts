import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { v7 as uuidv7 } from 'uuid';
import type { PrismaClient } from '../../db/generated/client.ts';
import type { IssuedKey } from '../api-key.ts';

/** What commands about keys have from the process that runs them. */
export interface KeyShell {
  program: Command;
  /** Does something in the database of the process' environment. */
  run(work: (db: PrismaClient) => Promise<void>): Promise<void>;
}

/** Shows a value: as JSON where that is asked for, otherwise the text. */
export const print = ({ program }: KeyShell, value: unknown, text: string): void =>
  console.log(program.opts()['json'] ? JSON.stringify(value) : text);

/** The token alone goes to stdout, so that a script can take it from there. */
export function printIssued(shell: KeyShell, key: Pick<IssuedKey, 'token'>, described: string): void {
  print(shell, key, key.token);
  if (!shell.program.opts()['json']) console.error(`${described}\nThe token is not kept, and cannot be shown again.`);
}

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
