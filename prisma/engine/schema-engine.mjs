#!/usr/bin/env node
import { readArguments } from './arguments.mjs';
import { runCommand } from './commands.mjs';
import { engineFor } from './requests.mjs';
import { serve } from './rpc.mjs';
import { loadSchemaEngine } from './wasm.mjs';

// Prisma reads JSON only on standard error.
process.removeAllListeners('warning');

// Takes the place of the executable that Prisma's command line downloads: the same engine, from npm as WebAssembly,
// behind the same arguments, standard streams and exit codes.
const { version, command, url, schemaFiles } = readArguments(process.argv.slice(2));
if (version) {
  process.stdout.write(`schema-engine-cli ${(await loadSchemaEngine()).version()}\n`);
} else if (command !== undefined) {
  process.exitCode = await runCommand(command, url);
} else {
  await serve(engineFor({ url, schemaFiles }));
}
// An open connection would keep the process alive.
process.exit();
