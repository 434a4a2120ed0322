import { mergeConfig } from 'vitest/config';
import base from '../../vitest.config.ts';

const tests = JSON.parse(process.env['MUTATION_TESTS'] ?? '[]') as string[];

/** Less than where nothing is broken: most mutants are noticed by what does not come. */
const PATIENCE_MS = 30_000;

const shared = { ...base.test };
delete shared.projects;

/**
 * The tests of one room, as `run.ts` names them. Isolated: a mutant of what a module does when it is loaded must be met,
 * as it is in any case by workflows, each of which loads the bundle.
 */
export default mergeConfig(
  { test: shared },
  {
    test: {
      include: tests,
      globalSetup: ['test/support/global-setup.ts', 'test/mutation/global-setup.ts'],
      reporters: ['dot'],
      bail: 1,
      isolate: process.env['MUTATION_IN_BUNDLE'] === undefined,
      testTimeout: 2 * PATIENCE_MS,
      expect: { poll: { timeout: PATIENCE_MS } },
    },
  },
);
