import { join } from 'node:path';
import { freePort } from '../../src/local/ports.ts';
import { projectRoot } from '../../src/local/project-root.ts';
import type { BenchServer } from '../postgres.ts';
import { listens, runProgram } from '../support/processes.ts';
import { seedSchema } from './seed-design.ts';
import type { StartedSide } from './side.ts';

/** A bare Hono route with one insert, and nothing behind it. */
export async function startBareHono(server: BenchServer): Promise<StartedSide> {
  const database = await server.createDatabase({ schema: await seedSchema() });
  const port = await freePort();
  const api = await runProgram(
    {
      name: 'api',
      command: process.execPath,
      args: ['--import', 'tsx', join(import.meta.dirname, '../bare/hono.ts')],
      env: { ...process.env, DATABASE_URL: database.url, PORT: String(port) },
      cwd: projectRoot(),
    },
    listens(port),
  );
  return {
    url: `http://127.0.0.1:${port}/api/leads`,
    databaseUrl: database.url,
    processes: [api],
    async end() {
      await api.kill();
      await database.drop();
    },
  };
}
