import { commandLine, print, type Shell } from '../../command/shell.ts';
import { type NewOperatorAction, recordOperatorAction } from '../../audit/operator-action.ts';
import type { Prisma } from '../../db/generated/client.ts';
import { describeOperatorKey } from '../describe.ts';
import { createOperatorKey, listOperatorKeys, revokeOperatorKey } from '../operator-keys.ts';
import { endAfter, readDays, readId, readName } from './options.ts';
import { printIssued } from './print-issued.ts';

/** Commands about the keys of operators, which belong to no organization. */
export function addOperatorKeys(shell: Shell): void {
  shell.program
    .command('create-operator')
    .description('make a key for /ops, which is about all organizations; its token is printed this once')
    .requiredOption('--name <text>', 'whose it is, or what it is for', readName)
    .option('--expires-in-days <n>', 'without it the key has no end', readDays)
    .action(({ name: called, expiresInDays }: { name: string; expiresInDays?: number }) =>
      shell.run(async (db) => {
        const made = await db.$transaction(async (tx) => {
          const key = await createOperatorKey(tx, { name: called, expiresAt: endAfter(expiresInDays) });
          await noteOperator(tx, { action: 'operator-key.created', subject: key.id, data: { name: called } });
          return key;
        });
        printIssued(shell, made, describeOperatorKey(made));
      }),
    );

  shell.program
    .command('list-operators')
    .description('show keys of operators, the newest first, also those that have ended')
    .action(() =>
      shell.run(async (db) => {
        const keys = await listOperatorKeys(db);
        print(shell, keys, keys.map(describeOperatorKey).join('\n'));
      }),
    );

  shell.program
    .command('revoke-operator')
    .description('end a key of an operator: it is refused everywhere within 5 s')
    .argument('<id>', 'of the key', readId)
    .action((id: string) =>
      shell.run(async (db) => {
        await db.$transaction(async (tx) => {
          if (await revokeOperatorKey(tx, id)) await noteOperator(tx, { action: 'operator-key.revoked', subject: id });
        });
        print(shell, { id, revoked: true }, `${id} is revoked`);
      }),
    );
}

const noteOperator = (tx: Prisma.TransactionClient, action: Omit<NewOperatorAction, 'reason'>): Promise<void> =>
  recordOperatorAction(tx, { ...action, reason: 'command line' }, commandLine());
