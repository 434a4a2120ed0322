import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { makeKey } from '../support/keyed-api.ts';
import { test } from '../support/onboarding.ts';
import { build, startProcess } from '../support/processes.ts';
import { runSchemathesis } from './schemathesis.ts';

const REQUESTS = 5_000;
/** Never ends, so it is asked in wrong ways only. */
const STREAM = '/api/notifications/stream';
const CASES_PER_OPERATION = '250';

describe.runIf(process.env['FUZZ'] === 'full')('the whole document, by Schemathesis', () => {
  test.for([
    ['with a key', true],
    ['without one', false],
  ] as const)('%s', { timeout: 1_500_000 }, async ([, withKey], { database }) => {
    build();
    const settings = { DATABASE_URL: database.url, API_AUTH: 'required', RATE_LIMIT: 'off', LOG_LEVEL: 'warn' };
    const api = await startProcess('api', settings);
    await expect.poll(async () => (await api.readyz()).status).toBe(200);
    const key = withKey ? ['-H', `Authorization: Bearer ${await makeKey(database)}`] : [];
    const folder = mkdtempSync(join(tmpdir(), 'schemathesis-'));
    const run = (name: string, ...args: string[]) =>
      runSchemathesis([
        `${api.url}/openapi.json`,
        ...[...key, ...args],
        ...['--continue-on-failure', '--max-response-time', '10', '--workers', '2'],
        ...['--report', 'ndjson', '--report-ndjson-path', join(folder, `${name}.ndjson`)],
      ]);

    const all = await run('all', '--exclude-path', STREAM, '--max-examples', CASES_PER_OPERATION);
    const stream = await run('stream', '--include-path', STREAM, '--max-examples', '100', '--mode', 'negative');
    console.log(all.output, stream.output);
    console.log(folder);
    expect([all.code, stream.code]).toEqual([0, 0]);
    expect(api.log().filter(({ level }) => Number(level) >= 50)).toEqual([]);
    expect(readFileSync(join(folder, 'all.ndjson'), 'utf8').length).toBeGreaterThan(REQUESTS);
  });
});
