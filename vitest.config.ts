import { defineConfig } from 'vitest/config';

/** Real servers under test: enough for a busy machine, and short enough to see that something hangs. */
const TEST_TIMEOUT_MS = 60_000;
const POLL_TIMEOUT_MS = 20_000;

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    setupFiles: ['test/support/setup-file.ts'],
    testTimeout: TEST_TIMEOUT_MS,
    hookTimeout: TEST_TIMEOUT_MS,
    expect: { poll: { timeout: POLL_TIMEOUT_MS } },
    maxWorkers: 3, // on two cores: most of a test is waiting
    reporters: ['default', ['json', { outputFile: 'coverage/test-report.json' }]],
    coverage: {
      provider: 'istanbul',
      include: ['src/**/*.ts', 'activities/**/*.ts', 'workflows/**/*.ts'],
      exclude: ['src/db/generated/**'],
      reporter: ['text', 'json-summary'],
    },
  },
});
