import { commandLine, print, type Shell } from '../../command/shell.ts';
import { type AuditEntry, recordAudit } from '../../audit/record.ts';
import type { Prisma, PrismaClient } from '../../db/generated/client.ts';
import type { ApiKey } from '../api-key.ts';
import { describeKey } from '../describe.ts';
import { KEEP_OLD_HOURS } from '../limits.ts';
import { createKey, listKeys, revokeKey, rotateKey } from '../manage.ts';
import { newKeySchema } from '../new-key.ts';
import { API_SCOPES, type ApiScope, FORM_SCOPE } from '../scopes.ts';
import { valid } from '../../command/option.ts';
import { endAfter, hoursToMs, readDays, readHours, readId, readName } from './options.ts';
import { printIssued } from './print-issued.ts';

const PAGE = 100;
const { organizationId, scopes } = newKeySchema.shape;

/** Commands about the keys of organizations. */
export function addOrganizationKeys(shell: Shell): void {
  shell.program
    .command('create')
    .description('make a key; its token is printed this once')
    .requiredOption('--organization <id>', 'whose rows it opens', valid(organizationId))
    .requiredOption('--name <text>', 'what it is for', readName)
    .requiredOption(
      '--scopes <list>',
      `${API_SCOPES.join(',')}: some of them, or all but ${FORM_SCOPE}, which goes alone`,
      readScopes,
    )
    .option('--expires-in-days <n>', 'without it the key has no end', readDays)
    .action((options: { organization: string; name: string; scopes: ApiScope[]; expiresInDays?: number }) =>
      shell.run(async (db) => {
        const { organization, expiresInDays: days, ...key } = options;
        const expiresAt = endAfter(days);
        const made = await db.$transaction(async (tx) => {
          const issued = await createKey(tx, { ...key, organizationId: organization, expiresAt });
          const { name, scopes } = issued;
          await note(tx, { ...issued, action: 'key.created', subject: issued.id, data: { name, scopes } });
          return issued;
        });
        printIssued(shell, made, describeKey(made));
      }),
    );

  shell.program
    .command('list')
    .description('show keys, the newest first, also those that have ended')
    .option('--organization <id>', 'of this one only', valid(organizationId))
    .action(({ organization }: { organization?: string }) =>
      shell.run(async (db) => {
        const keys = await readAll(db, organization);
        print(shell, keys, keys.map(describeKey).join('\n'));
      }),
    );

  shell.program
    .command('rotate')
    .description('replace a key by a new one; its token is printed this once')
    .argument('<id>', 'of the old key', readId)
    .option('--keep-old-for-hours <n>', 'for which the old key works on', readHours, KEEP_OLD_HOURS.preset)
    .action((id: string, { keepOldForHours }: { keepOldForHours: number }) =>
      shell.run(async (db) => {
        const made = await db.$transaction(async (tx) => {
          const key = await rotateKey(tx, id, hoursToMs(keepOldForHours));
          await note(tx, { ...key, action: 'key.rotated', subject: id, data: { by: key.id } });
          return key;
        });
        printIssued(shell, made, describeKey(made));
      }),
    );

  shell.program
    .command('revoke')
    .description('end a key: it is refused everywhere within 5 s')
    .argument('<id>', 'of the key', readId)
    .option('--descendants', 'the keys as well that it has made or rotated, and so on down')
    .action((id: string, { descendants = false }: { descendants?: boolean }) =>
      shell.run(async (db) => {
        const ids = await db.$transaction(async (tx) => {
          const revoked = await revokeKey(tx, id, descendants);
          for (const subject of revoked.ids) await note(tx, { ...revoked, action: 'key.revoked', subject });
          return revoked.ids;
        });
        const ended = [...new Set([id, ...ids])];
        print(shell, { id, revoked: true, ids: ended }, ended.map((one) => `${one} is revoked`).join('\n'));
      }),
    );
}

function note(tx: Prisma.TransactionClient, entry: AuditEntry): Promise<void> {
  const { organizationId, action, subject, data } = entry;
  return recordAudit(tx, { organizationId, action, subject, ...(data && { data }) }, commandLine());
}

function readScopes(list: string): ApiScope[] {
  return list === 'all' ? API_SCOPES.filter((scope) => scope !== FORM_SCOPE) : valid(scopes)(list.split(','));
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
