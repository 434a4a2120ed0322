import { z } from 'zod';
import { type AuditAction, recordAudit } from '../audit/record.ts';
import { valid } from '../command/option.ts';
import { commandLine, print, type Shell } from '../command/shell.ts';
import type { Prisma, PrismaClient } from '../db/generated/client.ts';
import { allowHosts } from '../safe-fetch/allowed-hosts.ts';
import { FetchError } from '../safe-fetch/fetch-error.ts';
import { checkPostTarget } from '../safe-fetch/safe-post.ts';
import { portOf } from '../safe-fetch/target.ts';
import { listAttempts } from './attempts.ts';
import { type Endpoint, type NewEndpoint, newEndpointSchema } from './endpoint.ts';
import { KEEP_OLD_SECRET_HOURS } from './limits.ts';
import { changeEndpoint, createEndpoint, deleteEndpoint, listEndpoints, readEndpoint, rotateSecret } from './manage.ts';
import { orderTest, redeliver, type Redelivery } from './redeliver.ts';

const MS_PER_HOUR = 3_600_000;
const { organizationId, url, description, types } = newEndpointSchema.shape;
const readId = valid(z.uuid('must be the id of an endpoint'));
const readHours = valid(z.coerce.number().int('must be a whole number').min(0).max(KEEP_OLD_SECRET_HOURS.max));
const readTypes = (list: string) => valid(types)(list.split(','));

type Settings = (variables: NodeJS.ProcessEnv) => { WEBHOOK_ALLOW_HOSTS: string[] };

/** Commands about webhook endpoints, as the API has them. */
export function addWebhookCommands(shell: Shell, readSettings: Settings): void {
  const { program } = shell;

  program
    .command('create')
    .description('make an endpoint; its secret is printed this once')
    .requiredOption('--organization <id>', 'whose events it is told of', valid(organizationId.unwrap()))
    .requiredOption('--url <url>', 'where they are posted to', valid(url))
    .option('--types <list>', 'which, with commas between them; by default all', readTypes, null)
    .option('--description <text>', 'what it is for', valid(description), '')
    .option('--personal-data', 'whether it is to be told of persons as well', false)
    .action(
      (options: { organization: string; personalData: boolean } & Pick<NewEndpoint, 'url' | 'types' | 'description'>) =>
        shell.run(async (db) => {
          const { organization, personalData: includePersonalData, ...endpoint } = options;
          checkUrl(endpoint.url, readSettings(process.env));
          const made = await db.$transaction(async (tx) => {
            const created = await createEndpoint(tx, organization, { ...endpoint, includePersonalData });
            await note(tx, 'webhook.created', created);
            return created;
          });
          printIssued(shell, made);
        }),
    );

  program
    .command('list')
    .description("show an organization's endpoints, the oldest first")
    .requiredOption('--organization <id>', 'whose', valid(organizationId.unwrap()))
    .action(({ organization }: { organization: string }) =>
      shell.run(async (db) => {
        const { items } = await listEndpoints(db, { organizationId: organization, limit: 100 });
        print(shell, items, items.map(describe).join('\n'));
      }),
    );

  for (const [command, state] of [
    ['pause', 'paused'],
    ['resume', 'active'],
  ] as const) {
    program
      .command(command)
      .description(state === 'paused' ? 'tell an endpoint nothing for now' : 'go on where it was paused')
      .argument('<id>', 'of the endpoint', readId)
      .action((id: string) =>
        shell.run(async (db) => {
          const changed = await db.$transaction(async (tx) => {
            const endpoint = await changeEndpoint(tx, id, { state });
            await note(tx, 'webhook.changed', endpoint, { fields: ['state'] });
            return endpoint;
          });
          print(shell, changed, describe(changed));
        }),
      );
  }

  program
    .command('delete')
    .description('delete an endpoint, with its attempts and what it has not taken')
    .argument('<id>', 'of the endpoint', readId)
    .action((id: string) =>
      shell.run(async (db) => {
        await db.$transaction(async (tx) => note(tx, 'webhook.deleted', await deleteEndpoint(tx, id)));
        print(shell, { id, deleted: true }, `${id} is deleted`);
      }),
    );

  program
    .command('rotate-secret')
    .description('give an endpoint another secret, which is printed this once')
    .argument('<id>', 'of the endpoint', readId)
    .option('--keep-old-for-hours <n>', 'for which the old one signs as well', readHours, KEEP_OLD_SECRET_HOURS.preset)
    .action((id: string, { keepOldForHours }: { keepOldForHours: number }) =>
      shell.run(async (db) => {
        const rotated = await db.$transaction(async (tx) => {
          const endpoint = await rotateSecret(tx, id, keepOldForHours * MS_PER_HOUR);
          await note(tx, 'webhook.secret-rotated', endpoint);
          return endpoint;
        });
        printIssued(shell, rotated);
      }),
    );

  program
    .command('attempts')
    .description('show when an endpoint was asked to take what, the newest first')
    .argument('<id>', 'of the endpoint', readId)
    .action((id: string) =>
      shell.run(async (db) => {
        const { items } = await listAttempts(db, { endpointId: id, limit: 50 });
        const line = (item: (typeof items)[number]) =>
          [
            item.at,
            item.eventId,
            item.type,
            `attempt ${item.attempt}`,
            item.status ?? item.error,
            `${item.durationMs} ms`,
          ].join('  ');
        print(shell, items, items.map(line).join('\n'));
      }),
    );

  program
    .command('redeliver')
    .description('tell an endpoint again')
    .argument('<id>', 'of the endpoint', readId)
    .option('--event <id>', 'of one event', valid(z.uuid('must be the id of an event')))
    .option('--given-up', 'of all that is not tried any more')
    .option(
      '--since <time>',
      'of all since a time, as in 2026-11-24T12:00:00Z',
      valid(z.iso.datetime('must be a time')),
    )
    .action((id: string, options: { event?: string; givenUp?: true; since?: string }) => {
      const asked: Redelivery[] = [
        ...(options.event === undefined ? [] : [{ eventId: options.event }]),
        ...(options.givenUp ? [{ givenUp: true } as const] : []),
        ...(options.since === undefined ? [] : [{ since: options.since }]),
      ];
      const [redelivery] = asked;
      if (!redelivery || asked.length > 1) return program.error('Say one of --event, --given-up and --since.');
      return shell.run(async (db) => {
        await db.$transaction(async (tx) => {
          await redeliver(tx, id, redelivery);
          await note(tx, 'webhook.redelivered', await readEndpoint(tx, id), redelivery);
        });
        await show(shell, db, id);
      });
    });

  program
    .command('test')
    .description('send an endpoint a message of which nothing has happened; see its attempts')
    .argument('<id>', 'of the endpoint', readId)
    .action((id: string) =>
      shell.run(async (db) => {
        const eventId = await db.$transaction(async (tx) => {
          const ordered = await orderTest(tx, id);
          await note(tx, 'webhook.tested', await readEndpoint(tx, id), { eventId: ordered });
          return ordered;
        });
        print(shell, { eventId }, `${eventId} will be sent`);
      }),
    );
}

/** @throws Error for an address that nothing would ever be sent to */
function checkUrl(text: string, { WEBHOOK_ALLOW_HOSTS }: ReturnType<Settings>): void {
  const target = new URL(text);
  try {
    checkPostTarget(target, allowHosts(WEBHOOK_ALLOW_HOSTS)(target.hostname, portOf(target)));
  } catch (err) {
    if (!(err instanceof FetchError)) throw err;
    throw new Error('--url must be an https address of the public Internet, without a user.', { cause: err });
  }
}

async function note(
  tx: Prisma.TransactionClient,
  action: AuditAction,
  { id: subject, organizationId: owner }: { id: string; organizationId: string | null },
  data: Prisma.InputJsonObject = {},
): Promise<void> {
  if (owner !== null) await recordAudit(tx, { organizationId: owner, action, subject, data }, commandLine());
}

async function show(shell: Shell, db: PrismaClient, id: string): Promise<void> {
  const endpoint = await readEndpoint(db, id);
  print(shell, endpoint, describe(endpoint));
}

/** The secret alone goes to stdout, so that a script can take it from there. */
function printIssued(shell: Shell, issued: Endpoint & { secret: string }): void {
  print(shell, issued, issued.secret);
  if (!shell.program.opts()['json']) console.error(`${describe(issued)}\nThe secret cannot be shown again.`);
}

function describe({ id, organizationId: owner, url: address, ...endpoint }: Endpoint): string {
  const state = endpoint.pausedBecause === null ? 'active' : `paused: ${endpoint.pausedBecause}`;
  const failing = endpoint.failingSince === null ? [] : [`fails since ${endpoint.failingSince}`];
  const what = endpoint.types?.join(',') ?? 'all events';
  return [
    id,
    owner,
    address,
    what,
    state,
    ...failing,
    `${endpoint.setAside} set aside`,
    `${endpoint.givenUp} given up`,
  ].join('  ');
}
