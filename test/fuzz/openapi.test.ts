import { describe, expect } from 'vitest';
import { makeKey } from '../support/keyed-api.ts';
import { test } from '../support/onboarding.ts';
import { startProcess } from '../support/processes.ts';
import { runSchemathesis } from './schemathesis.ts';

const REQUESTS = 5_000;
const STREAMS = '/api/(notifications|events)/stream$';
const FORM = '/forms/leads';

/** The document in parts, because some operations need other ways of asking. */
const PARTS: [string, ...string[]][] = [
  ['leads, onboarding, notifications', '--exclude-path-regex', `^(/api/keys|${FORM}|${STREAMS})`, '-n', '400'],
  ['keys, of which one may end the caller’s own', '--include-path-regex', '^/api/keys', '-n', '150'],
  ['the form', '--include-path', FORM, '-n', '400'],
  [
    'the streams, in wrong ways only: a right one has no end',
    '--include-path-regex',
    STREAMS,
    '--mode',
    'negative',
    '-n',
    '150',
  ],
];

describe('Schemathesis, over the whole document', () => {
  test.for([
    ['with a key', true],
    ['without one', false],
  ] as const)(
    '%s: no fault of ours, and nothing that the document does not tell',
    { timeout: 1_800_000 },
    async (run, { database }) => {
      const [, withKey] = run;
      const settings = { DATABASE_URL: database.url, API_AUTH: 'required', RATE_LIMIT: 'off', LOG_LEVEL: 'warn' };
      const api = await startProcess('api', settings);
      await expect.poll(async () => (await api.readyz()).status).toBe(200);

      let requests = 0;
      for (const [part, ...args] of PARTS) {
        const key = withKey ? ['-H', `Authorization: Bearer ${await makeKey(database)}`] : [];
        // No schema tells which cursors, tokens, ETags and keys are good, so what fits it may be refused.
        const checks = ['--exclude-checks', 'positive_data_acceptance'];
        // One worker: with more, Python 3.11 fails in `ast.parse` now and then (python/cpython#106905).
        const common = [...checks, '--continue-on-failure', '--max-response-time', '10', '--seed', '1'];
        const { code, output } = await runSchemathesis([`${api.url}/openapi.json`, ...common, ...key, ...args]);
        const generated = Number(/(\d+) generated/.exec(output)?.[1] ?? 0);
        console.log(`${part}: ${generated} requests`);
        expect(code, output).toBe(0);
        expect(generated).toBeGreaterThan(0);
        requests += generated;
      }
      console.log(`${requests} requests`);
      expect(requests).toBeGreaterThan(REQUESTS);
      expect(api.log().filter(({ level }) => Number(level) >= 50)).toEqual([]);
    },
  );
});
