import { valid, wholeNumber } from '../../command/option.ts';
import { commandLine, print, type Shell } from '../../command/shell.ts';
import { allowHosts } from '../../safe-fetch/allowed-hosts.ts';
import { ADDRESS_FORM, isUsable } from '../address.ts';
import { type Endpoint, type NewEndpoint, newEndpointSchema } from '../endpoint.ts';
import { KEEP_OLD_SECRET_HOURS } from '../limits.ts';
import { changeEndpoint, createEndpoint, deleteEndpoint, listEndpoints, rotateSecret } from '../manage.ts';
import { noteEndpoint } from '../note.ts';
import { describeEndpoint, readId } from './describe.ts';

const MS_PER_HOUR = 3_600_000;
const { organizationId, url, description, types } = newEndpointSchema.shape;
const readHours = wholeNumber(0, KEEP_OLD_SECRET_HOURS.max);
const readTypes = (list: string) => valid(types)(list.split(','));

type Settings = (variables: NodeJS.ProcessEnv) => { WEBHOOK_ALLOW_HOSTS: string[] };

/** Commands about webhook endpoints. */
export function addEndpointCommands(shell: Shell, readSettings: Settings): void {
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
          if (!isUsable(endpoint.url, allowHosts(readSettings(process.env).WEBHOOK_ALLOW_HOSTS))) {
            throw new Error(`--url ${ADDRESS_FORM}.`);
          }
          const made = await db.$transaction(async (tx) => {
            const created = await createEndpoint(tx, organization, { ...endpoint, includePersonalData });
            await noteEndpoint(tx, 'webhook.created', created, commandLine());
            return created;
          });
          printIssued(shell, made);
        }),
    );

  program
    .command('list')
    .description('show endpoints, the oldest first')
    .option('--organization <id>', 'whose; by default all', valid(organizationId.unwrap()))
    .action(({ organization }: { organization?: string }) =>
      shell.run(async (db) => {
        const items: Endpoint[] = [];
        for (let cursor: string | null | undefined; cursor !== null;) {
          const page = await listEndpoints(db, { organizationId: organization, limit: 100, cursor });
          items.push(...page.items);
          cursor = page.nextCursor;
        }
        print(shell, items, items.map(describeEndpoint).join('\n'));
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
            await noteEndpoint(tx, 'webhook.changed', endpoint, commandLine(), { fields: ['state'] });
            return endpoint;
          });
          print(shell, changed, describeEndpoint(changed));
        }),
      );
  }

  program
    .command('delete')
    .description('delete an endpoint, with its attempts and what it has not taken')
    .argument('<id>', 'of the endpoint', readId)
    .action((id: string) =>
      shell.run(async (db) => {
        await db.$transaction(async (tx) =>
          noteEndpoint(tx, 'webhook.deleted', await deleteEndpoint(tx, id), commandLine()),
        );
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
          await noteEndpoint(tx, 'webhook.secret-rotated', endpoint, commandLine());
          return endpoint;
        });
        printIssued(shell, rotated);
      }),
    );
}

/** The secret alone goes to stdout, so that a script can take it from there. */
function printIssued(shell: Shell, issued: Endpoint & { secret: string }): void {
  print(shell, issued, issued.secret);
  if (!shell.program.opts()['json']) console.error(`${describeEndpoint(issued)}\nThe secret cannot be shown again.`);
}
