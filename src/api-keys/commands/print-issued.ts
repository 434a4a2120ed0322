import { print, type Shell } from '../../command/shell.ts';
import type { IssuedKey } from '../api-key.ts';

/** The token alone goes to stdout, so that a script can take it from there. */
export function printIssued(shell: Shell, key: Pick<IssuedKey, 'token'>, described: string): void {
  print(shell, key, key.token);
  if (!shell.program.opts()['json']) console.error(`${described}\nThe token is not kept, and cannot be shown again.`);
}
