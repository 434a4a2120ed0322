import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Where the files are that take minutes: the longest first, and those that keep the machine busy not side by side. */
const LONG = [
  'scenarios/enrichment/provider-trouble',
  'scenarios/chaos/lost-store',
  'scenarios/http/notification-stream-faults',
  'scenarios/chaos/repeats',
  'scenarios/privacy/canaries',
  'scenarios/chaos/faults',
  'scenarios/processes/rescore',
  'scenarios/ops/bulk-retry',
  'scenarios/e2e/',
  'scenarios/temporal/versions/versions',
  'scenarios/statistics/',
  'test/e2e/',
];

const rankOf = ({ moduleId }: TestSpecification): number => {
  const rank = LONG.findIndex((place) => moduleId.includes(place));
  return rank === -1 ? LONG.length : rank;
};

/** The order of files: one that takes minutes must not begin when the others have ended. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((one, other) => rankOf(one) - rankOf(other));
  }
}
