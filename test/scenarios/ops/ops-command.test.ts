import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished } from 'vitest';
import { freePort } from '../../../src/local/ports.ts';
import { openLease } from '../../../src/db/lease.ts';
import { readStatistics } from '../../../src/statistics/read-statistics.ts';
import { TASK_QUEUES } from '../../../workflows/contract.ts';
import { runEntry } from '../../support/run-entry.ts';
import { storeFailed } from '../../support/failures.ts';
import { makeKey, makeOperatorKey } from '../../support/keyed-api.ts';
import { test } from '../../support/onboarding.ts';
import { startProcess } from '../../support/processes.ts';
import { createTestClient } from '../../support/temporal.ts';

describe('npm run ops', () => {
  test('shows queues, failures and a lead, and retries what failed, with exit codes', async ({ database }) => {
    const settings = { DATABASE_URL: database.url, LOG_LEVEL: 'warn' };
    const api = await startProcess('api', { ...settings, API_AUTH: 'required' });
    await startProcess('relay', settings);
    const queues = Object.values(TASK_QUEUES).flatMap((queue) => ['--task-queue', queue]);
    const worker = await startProcess('worker', settings, queues);
    for (const process of [api, worker]) await expect.poll(async () => (await process.readyz()).status).toBe(200);
    const variables = { OPS_URL: api.url, OPS_KEY: await makeOperatorKey(database) };
    const ops = async (...args: string[]) => {
      const result = await runEntry('ops', args, variables);
      console.log(`$ npm run -s ops -- ${args.join(' ')}\n${result.stdout}${result.stderr}(exit code ${result.code})`);
      return result;
    };
    const crm = { organizationId: 'org-123', step: 'enrich', errorType: 'crm:http-503' } as const;
    const [leadId = ''] = await storeFailed(database, { ...crm, leads: 12 });
    await storeFailed(database, { organizationId: 'org-7', leads: 3 });

    const failures = await ops('failures');
    expect(failures).toMatchObject({ code: 0, stderr: '' });
    expect(failures.stdout).toMatch(/^12 +enrich +crm:http-503 +org-123 /m);
    expect(failures.stdout).toMatch(/^3 +score +Timeout:START_TO_CLOSE +org-7 /m);

    const filter = ['--step', 'enrich', '--error', 'crm:http-503'];
    expect((await ops('retry', ...filter)).stdout).toContain('12 leads would be retried; with --yes they are.');
    expect(await ops('retry', ...filter, '--yes')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('--reason') as string,
    });
    // The first in a process may take longer than a request has, on a busy machine; it has no lead.
    const first = ['retry', '--organization', 'nobody', '--yes', '--reason', 'To begin with'];
    await expect.poll(async () => (await runEntry('ops', first, variables)).code).toBe(0);
    const retried = await ops('retry', ...filter, '--yes', '--reason', 'The CRM is back');
    expect(retried.code).toBe(0);
    expect(retried.stdout).toMatch(/COMPLETED {2}12\/12 {2}12 COMPLETED\n$/);

    expect((await ops('lead', leadId)).stdout).toContain(`${leadId} of org-123 is COMPLETED in round 2`);
    const compared = await ops('consistency'); // of a namespace that other tests use as well
    expect(compared.stdout).toMatch(/agree about \d+ runs|of \d+ runs differ/);
    expect(compared.code).toBe(compared.stdout.includes('agree') ? 0 : 2);
    const client = createTestClient();
    const lease = openLease(database.pool, 'statistics');
    await database.pool.query('DELETE FROM lease'); // the relay's
    await readStatistics({ pool: database.pool, client, lease });
    await client.connection.close();
    const shown = await ops('queues');
    for (const queue of Object.values(TASK_QUEUES)) expect(shown.stdout).toMatch(new RegExp(`^${queue} `, 'm'));
    const { stdout } = await ops('queues', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ queues: [{ queue: 'lead-onboarding' }, {}, {}, {}] });
  });

  test('goes on following a retry while the API is replaced', async () => {
    let looks = 0;
    const server = createServer((_request, response) => {
      looks += 1;
      if (looks === 2) response.destroy();
      else if (looks === 3) response.writeHead(503).end();
      else response.end(JSON.stringify(looks < 4 ? retry : { ...retry, finishedAt: new Date().toISOString() }));
    });
    const outcomes = { WAITING: 0, UNDER_WAY: 0, COMPLETED: 1, PARTIAL: 0, FAILED: 0, CANCELED: 0, SKIPPED: 0 };
    const retry = { id: randomUUID(), state: 'RUNNING', total: 1, outcomes, finishedAt: null };
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const OPS_URL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { code, stderr } = await runEntry('ops', ['retry', '--id', retry.id], { OPS_URL });
    expect({ code, stderr, looks }).toEqual({ code: 0, stderr: '', looks: 4 });
  });

  test('says what is wrong, in words', async ({ database }) => {
    const nowhere = `http://127.0.0.1:${await freePort()}`;
    expect(await runEntry('ops', ['queues'], { OPS_URL: nowhere })).toMatchObject({
      code: 1,
      stderr: `Nobody answers at ${nowhere}: start the API, or correct OPS_URL.\n`,
    });
    const wrong = await runEntry('ops', ['queues'], { OPS_KEY: await makeKey(database) });
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('OPS_KEY: takes the token') as string });
  });
});
