import { Command } from 'commander';
import { createShell, runCommand } from './command/shell.ts';
import { readEnvironment } from './process/environment.ts';
import { addDeliveryCommands } from './webhooks/commands/deliveries.ts';
import { addEndpointCommands } from './webhooks/commands/endpoints.ts';

const program = new Command('npm run -s webhooks --')
  .description('Webhook endpoints of any organization, straight in the database of DATABASE_URL.')
  .option('--json', 'print JSON');
const shell = createShell(program, 'webhooks', readEnvironment);
addEndpointCommands(shell, readEnvironment);
addDeliveryCommands(shell);
await runCommand(program);
