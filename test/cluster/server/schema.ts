import { POSTGRES_LOGIN } from '../../../src/local/postgres/postgres-files.ts';
import { LOOPBACK } from '../../../src/local/ports.ts';
import { runCommand } from '../../../src/local/processes/run-command.ts';
import { STORE, VISIBILITY } from './configuration.ts';

/** Makes the two databases of a Temporal server by its own tool, `sql`. @throws Error with what the tool says */
export async function makeSchemas(tool: string, postgresPort: number): Promise<void> {
  await makeSchema(tool, postgresPort, STORE, 'temporal');
  await makeSchema(tool, postgresPort, VISIBILITY, 'visibility');
}

async function makeSchema(tool: string, port: number, database: string, schema: string): Promise<void> {
  const { user, password } = POSTGRES_LOGIN;
  const where = ['--plugin', 'postgres12', '--endpoint', LOOPBACK, '--port', String(port)];
  const run = async (...args: string[]) => {
    const login = ['--user', user, '--database', database];
    const env = { ...process.env, SQL_PASSWORD: password };
    const { ok, reason, stdout, stderr } = await runCommand(tool, [...where, ...login, ...args], { env });
    if (!ok) throw new Error(`sql ${args.join(' ')} of ${database}: ${reason}\n${stdout}${stderr}`);
  };
  await run('create-database');
  await run('setup-schema', '--version', '0.0');
  await run('update-schema', '--schema-name', `postgresql/v12/${schema}`);
}
