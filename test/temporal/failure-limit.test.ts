import { ApplicationFailure, type Context } from '@temporalio/activity';
import { expect, onTestFinished, test, vi } from 'vitest';
import { failurePolicy } from '../../activities/failure-policy.ts';
import { countFailure, type FailurePolicy } from '../../src/temporal/failure-limit.ts';

const MINUTE_MS = 60_000;
const policy: FailurePolicy = {
  limits: { scoreLead: { failures: 3, forMs: 10 * MINUTE_MS } },
  isExcused: (err) => err === EXCUSED,
};
const EXCUSED = new Error('the database is away');

/** The attempts of one activity: what one beats, the next has, as on the server. */
function attempts(activityType = 'scoreLead') {
  let heartbeatDetails: unknown;
  return (err: unknown = new Error('a bug'), failure = ApplicationFailure.retryable('no', 'Bug')) => {
    const heartbeat = (details: unknown) => (heartbeatDetails = details);
    const context = { info: { activityType, heartbeatDetails }, heartbeat } as unknown as Context;
    return countFailure(context, policy, failure, err);
  };
}

function stopClock() {
  onTestFinished(() => void vi.useRealTimers());
  vi.useFakeTimers({ now: 0, toFake: ['Date'] });
}

test('gives up when it has failed often enough and for long enough, under the type of the last failure', () => {
  stopClock();
  const fail = attempts();
  expect(fail().nonRetryable).toBe(false);
  vi.setSystemTime(1 * MINUTE_MS);
  for (let more = 0; more < 5; more += 1) expect(fail().nonRetryable).toBe(false);
  vi.setSystemTime(10 * MINUTE_MS);
  expect(fail()).toMatchObject({ nonRetryable: true, type: 'Bug', message: 'Given up after 7 failures: no' });
});

test('does not give up for having waited long: attempts that were killed are no failures', () => {
  stopClock();
  const fail = attempts();
  fail();
  vi.setSystemTime(1_000 * MINUTE_MS);
  expect(fail().nonRetryable).toBe(false);
  expect(fail().nonRetryable).toBe(true);
});

test('what is excused counts for nothing', () => {
  stopClock();
  const fail = attempts();
  for (const minute of [0, 10, 20, 30, 40]) {
    vi.setSystemTime(minute * MINUTE_MS);
    expect(fail(EXCUSED).nonRetryable).toBe(false);
  }
  expect(fail().nonRetryable).toBe(false);
});

test('a step without a limit is tried for ever', () => {
  stopClock();
  const fail = attempts('rescorePage');
  for (let minute = 0; minute < 100; minute += 1) {
    vi.setSystemTime(minute * MINUTE_MS);
    expect(fail().nonRetryable).toBe(false);
  }
});

test('production excuses a database that is away, and no row that it refuses', () => {
  const withCode = (code: string) => Object.assign(new Error('by the test'), { code });
  expect(['ECONNREFUSED', '57P01', '57014', '40001'].map((code) => failurePolicy.isExcused(withCode(code)))).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect(['23514', '22P02', ''].map((code) => failurePolicy.isExcused(withCode(code)))).toEqual([false, false, false]);
});
