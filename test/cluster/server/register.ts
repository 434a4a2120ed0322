import { setTimeout as sleep } from 'node:timers/promises';
import { runCommand } from '../../../src/local/processes/run-command.ts';
import { SEARCH_ATTRIBUTES } from '../../../workflows/contract.ts';
import { PATIENCE_MS } from '../../support/patience.ts';

/**
 * Makes a namespace with our search attributes by the commands of docs/operations.md; resolves once runs can have them.
 * @param cli path of the Temporal CLI
 */
export async function register(cli: string, address: string, namespace: string): Promise<void> {
  const temporal = (...args: string[]) =>
    untilDone(cli, [...args, '--address', address, '--namespace', namespace], `temporal ${args.join(' ')}`);
  await temporal('operator', 'namespace', 'create', '--retention', '72h');
  const attributes = SEARCH_ATTRIBUTES.flatMap((name) => ['--name', name, '--type', 'Keyword']);
  await temporal('operator', 'search-attribute', 'create', ...attributes);
  await temporal('workflow', 'count', '--query', SEARCH_ATTRIBUTES.map((name) => `${name} = 'none'`).join(' AND '));
}

/** A server that has just begun does not know of what it was told a moment ago. */
async function untilDone(cli: string, args: string[], name: string): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const { ok, stdout, stderr } = await runCommand(cli, args);
    if (ok || /already exists/i.test(stderr)) return;
    if (Date.now() > deadline) throw new Error(`${name}: ${stdout}${stderr}`);
    await sleep(500);
  }
}
