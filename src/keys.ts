import { Command } from 'commander';
import { addOperatorKeys } from './api-keys/commands/operator-keys.ts';
import { addOrganizationKeys } from './api-keys/commands/organization-keys.ts';
import { createShell, runCommand } from './command/shell.ts';
import { readEnvironment } from './process/environment.ts';

const program = new Command('npm run -s keys --')
  .description('API keys of any organization, straight in the database of DATABASE_URL.')
  .option('--json', 'print JSON');
const shell = createShell(program, 'keys', readEnvironment);
addOrganizationKeys(shell);
addOperatorKeys(shell);
await runCommand(program);
