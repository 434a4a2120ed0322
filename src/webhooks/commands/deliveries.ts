import { z } from 'zod';
import { valid } from '../../command/option.ts';
import { commandLine, print, type Shell } from '../../command/shell.ts';
import { listAttempts } from '../attempts.ts';
import { readEndpoint } from '../manage.ts';
import { noteEndpoint } from '../note.ts';
import { orderTest, redeliver, type Redelivery } from '../redeliver.ts';
import { describeEndpoint, readId } from './describe.ts';

/** Commands about what webhook endpoints are sent. */
export function addDeliveryCommands(shell: Shell): void {
  const { program } = shell;

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
        const endpoint = await db.$transaction(async (tx) => {
          await redeliver(tx, id, redelivery);
          const told = await readEndpoint(tx, id);
          await noteEndpoint(tx, 'webhook.redelivered', told, commandLine(), redelivery);
          return told;
        });
        print(shell, endpoint, describeEndpoint(endpoint));
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
          await noteEndpoint(tx, 'webhook.tested', await readEndpoint(tx, id), commandLine(), { eventId: ordered });
          return ordered;
        });
        print(shell, { eventId }, `${eventId} will be sent`);
      }),
    );
}
