import { Command } from 'commander';
import { createShell, runCommand } from './command/shell.ts';
import { readEnvironment } from './process/environment.ts';
import { addWebhookCommands } from './webhooks/commands.ts';

const program = new Command('npm run -s webhooks --')
  .description('Webhook endpoints of any organization, straight in the database of DATABASE_URL.')
  .option('--json', 'print JSON');
addWebhookCommands(createShell(program, 'webhooks', readEnvironment), readEnvironment);
await runCommand(program);
