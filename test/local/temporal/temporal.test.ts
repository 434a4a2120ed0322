import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { describe, expect, it, vi } from 'vitest';
import { freePort } from '../../../src/local/ports.ts';
import { runOnce } from '../../../src/local/processes/run-once.ts';
import { checkTemporal } from '../../../src/local/temporal/remote-temporal.ts';
import { resolveTemporalCli } from '../../../src/local/temporal/temporal-cli.ts';
import { prepareTemporal, startTemporal } from '../../../src/local/temporal/temporal.ts';
import { SEARCH_ATTRIBUTES } from '../../../workflows/contract.ts';
import { seriesOf } from '../../support/metrics.ts';
import { PATIENCE_MS } from '../../support/patience.ts';
import { makeTempDir } from '../support/parts.ts';

const STARTS = 'service_requests{namespace="default",operation="StartWorkflowExecution",service_name="history"}';

async function connect(address: string) {
  const connection = await Connection.connect({ address });
  return { client: new Client({ connection }), connection };
}

describe('Temporal dev server', () => {
  it('answers with the namespaces that were asked for and our search attributes', async () => {
    const { path: cli } = await resolveTemporalCli();
    const dbFilename = join(await makeTempDir(), 'temporal.db');
    const namespaces = ['first', 'second'];
    const { address, stop } = await startTemporal({ cli, port: await freePort(), dbFilename, namespaces });
    const { connection } = await connect(address);
    for (const namespace of ['default', 'first', 'second']) {
      const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
      expect(Object.keys(customAttributes)).toEqual(expect.arrayContaining([...SEARCH_ATTRIBUTES]));
    }
    await connection.close();
    await stop();
  }, 600_000);

  it('keeps runs in its file, and serves the Web UI', async () => {
    const { path: cli } = await resolveTemporalCli();
    const dbFilename = join(await makeTempDir(), 'temporal.db');
    const uiPort = await freePort();
    const first = await startTemporal({ cli, dbFilename, port: await freePort(), uiPort });
    expect((await fetch(`http://127.0.0.1:${uiPort}/`)).status).toBe(200);
    const before = await connect(first.address);
    await before.client.workflow.start('kept', { taskQueue: 'nobody', workflowId: 'kept' });
    await before.connection.close();
    await first.stop();

    const second = await startTemporal({ cli, dbFilename, port: await freePort() });
    const after = await connect(second.address);
    expect(await after.client.workflow.getHandle('kept').describe()).toMatchObject({ status: { name: 'RUNNING' } });
    await after.connection.close();
    await second.stop();
  }, 600_000);

  it('remembers so many runs, and not all that there ever were', async () => {
    const { path: cli } = await resolveTemporalCli();
    const dbFilename = join(await makeTempDir(), 'temporal.db');
    const { args, ...part } = await prepareTemporal({ cli, port: await freePort(), dbFilename });
    const metricsPort = await freePort();
    const fewer = args.map((arg) => arg.replace(/^(history\.hostLevelCacheMaxSize)=4000$/, '$1=100'));
    expect(fewer).not.toEqual(args);
    const { stop } = await runOnce({ ...part, args: [...fewer, '--metrics-port', String(metricsPort)] });
    const { client, connection } = await connect(`127.0.0.1:${args[args.indexOf('--port') + 1]}`);
    // Two entries for each: 160 without the bound.
    for (let run = 0; run < 80; run += 1)
      await client.workflow.start('any', { taskQueue: 'nobody', workflowId: `run-${run}`, startDelay: '1 hour' });
    // Its figures are late: those that know of all the starts are looked at.
    const series = await vi.waitFor(
      async () => {
        const known = seriesOf(await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text());
        expect(known.get(STARTS)).toBe(80);
        return known;
      },
      { timeout: PATIENCE_MS, interval: 100 },
    );
    await connection.close();
    await stop();
    const [, remembered] = [...series].find(([name]) => /^cache_usage\{.*"mutablestate"/.test(name)) ?? [];
    expect(remembered).toBeGreaterThan(0);
    expect(remembered).toBeLessThanOrEqual(100);
  }, 600_000);

  it('that dies before it is ready fails with what it said', async () => {
    const { path: cli } = await resolveTemporalCli();
    const port = await freePort();
    await expect(startTemporal({ cli, port, dbFilename: '/proc/none.db' })).rejects.toThrow(
      /temporal ended before it was ready/,
    );
  });
});

it('an unreachable TEMPORAL_ADDRESS is one line', async () => {
  const port = await freePort();
  vi.stubEnv('TEMPORAL_ADDRESS', `127.0.0.1:${port}`);
  const failure = await checkTemporal().catch((error: unknown) => error as Error);
  vi.unstubAllEnvs();
  expect(failure).toMatchObject({ name: 'StartError' });
  expect((failure as Error).message).toMatch(
    /^TEMPORAL_ADDRESS: no usable Temporal at .*, namespace default \(.*unset TEMPORAL_ADDRESS/,
  );
}, 20_000);
