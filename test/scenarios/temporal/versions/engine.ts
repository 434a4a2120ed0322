import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { freePort } from '../../../../src/local/ports.ts';
import { runOnce } from '../../../../src/local/processes/run-once.ts';
import { prepareTemporal } from '../../../../src/local/temporal/temporal.ts';

/** By default a version without runs is reported as drained some minutes later. */
const QUICK_TO_REPORT = ['VersionDrainageStatusVisibilityGracePeriod', 'VersionDrainageStatusRefreshInterval'].map(
  (name) => `matching.wv.${name}="1s"`,
);

/** Where versions are tried: which one is current is for all who share a namespace. */
export interface OwnTemporal {
  address: string;
  client: Client;
  stop(): Promise<void>;
}

/** A dev server of its own. */
export async function startOwnTemporal(cli: string): Promise<OwnTemporal> {
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'lead-onboarding-versions-'));
  const part = await prepareTemporal({ cli, port, dbFilename: join(folder, 'temporal.db') });
  const settings = QUICK_TO_REPORT.flatMap((setting) => ['--dynamic-config-value', setting]);
  const { stop } = await runOnce({ ...part, args: [...part.args, ...settings] });
  const address = `127.0.0.1:${port}`;
  const client = new Client({ connection: Connection.lazy({ address }) });
  return {
    address,
    client,
    async stop() {
      await client.connection.close();
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
