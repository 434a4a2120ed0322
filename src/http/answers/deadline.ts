import type { MiddlewareHandler } from 'hono';
import type { AppDependencies, HttpEnv } from '../context.ts';
import type { Problem } from './problem.ts';
import { unavailable } from './unavailable.ts';

/** What a handler waits for adds up: a free connection, then a statement, then the next one. */
export const ANSWER_WITHIN_MS = 3_200;

/**
 * Answers 503 when a handler takes too long; what it has begun goes on without a reader. The deadline ends where the
 * answer begins: one that streams may take as long as it likes.
 */
export const answerInTime =
  ({ answerWithinMs }: Pick<AppDependencies, 'answerWithinMs'>): MiddlewareHandler<HttpEnv> =>
  (c, next) =>
    inTime(next(), answerWithinMs, () => unavailable(c, 'unknown'));

/**
 * Not p-timeout, which makes its error, with a stack, before anything is late: 5 % of what an API process does in a burst.
 * @throws what `late` makes, when the work takes too long
 */
export function inTime<T>(work: Promise<T>, withinMs: number, late: () => Problem): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(late()), withinMs);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
