import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../src/local/ports.ts';
import { prepareTemporal } from '../../src/local/temporal/temporal.ts';
import { resolveTemporalCli } from '../../src/local/temporal/temporal-cli.ts';
import { type Running, runPart } from '../support/processes.ts';

/** A Temporal server. */
export interface Engine {
  address: string;
  process: Running;
  end(): Promise<void>;
}

/** The Temporal of `npm start`, which keeps its runs in a file, with an empty one. */
export async function startEngine(): Promise<Engine> {
  const cli = await resolveTemporalCli({ onProgress: (line) => process.stderr.write(`${line}\n`) });
  const folder = await mkdtemp(join(tmpdir(), 'lead-onboarding-engine-'));
  const port = await freePort();
  const part = await prepareTemporal({ cli: cli.path, port, dbFilename: join(folder, 'temporal.db') });
  const temporal = await runPart({ ...part, yields: true });
  return {
    address: `127.0.0.1:${port}`,
    process: temporal,
    async end() {
      await temporal.kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
