import { configDefaults, defineConfig } from 'vitest/config';
import { PATIENCE_MS } from './test/support/patience.ts';
import { LongestFirst } from './test/support/longest-first.ts';

/** Several waits in a row, each of which only what hangs misses. */
const TEST_TIMEOUT_MS = 2 * PATIENCE_MS;
const SCENARIO_TIMEOUT_MS = 5 * PATIENCE_MS;
const CLUSTER_TIMEOUT_MS = 10 * PATIENCE_MS;

/** What takes long: `npm run test:scenarios`. The rest is `npm test`. */
const SCENARIOS = 'test/scenarios/**/*.test.ts';
/** What takes minutes for one answer, or tools that Go builds, before a release: `npm run test:release`. */
const RELEASE = 'test/release/**/*.test.ts';
/** What runs on a Temporal server with PostgreSQL, which Go builds: `npm run test:cluster`. */
const CLUSTER = 'test/cluster/**/*.test.ts';
/** What needs a tool from elsewhere: `npm run test:fuzz`. */
const FUZZ = 'test/fuzz/**/*.test.ts';

/** Of each tier, not of the whole: the whole would set up servers of its own, for nobody. */
const globalSetup = ['test/support/global-setup.ts'];

export default defineConfig({
  test: {
    setupFiles: ['test/support/setup-file.ts'],
    testTimeout: TEST_TIMEOUT_MS,
    hookTimeout: TEST_TIMEOUT_MS,
    expect: { poll: { timeout: PATIENCE_MS } },
    maxWorkers: 3, // on two cores: most of a test is waiting
    bail: 20, // so many failures have one cause, and tests that wait for it in vain take hours
    isolate: false, // what a file imports is there for the next one
    sequence: { sequencer: LongestFirst },
    reporters: ['default', 'json'],
    outputFile: { json: process.env['TEST_REPORT'] ?? 'coverage/test-report.json' },
    projects: [
      {
        extends: true,
        test: {
          name: 'core',
          globalSetup,
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, SCENARIOS, RELEASE, CLUSTER, FUZZ],
        },
      },
      {
        extends: true,
        test: {
          name: 'scenarios',
          globalSetup,
          include: [SCENARIOS],
          testTimeout: SCENARIO_TIMEOUT_MS,
          hookTimeout: SCENARIO_TIMEOUT_MS,
        },
      },
      {
        extends: true,
        test: {
          name: 'release',
          globalSetup,
          include: [RELEASE],
          testTimeout: SCENARIO_TIMEOUT_MS,
          hookTimeout: SCENARIO_TIMEOUT_MS,
        },
      },
      {
        extends: true,
        test: {
          name: 'cluster',
          globalSetup: ['test/cluster/global-setup.ts'],
          include: [CLUSTER],
          testTimeout: CLUSTER_TIMEOUT_MS,
          hookTimeout: CLUSTER_TIMEOUT_MS,
        },
      },
      { extends: true, test: { name: 'fuzz', globalSetup, include: [FUZZ] } },
    ],
    coverage: {
      provider: 'istanbul',
      include: ['src/**/*.ts', 'activities/**/*.ts', 'workflows/**/*.ts'],
      exclude: ['src/db/generated/**'],
      reporter: ['text', 'json-summary'],
    },
  },
});
