import type { MiddlewareHandler } from 'hono';
import pTimeout from 'p-timeout';
import type { HttpEnv } from '../context.ts';
import type { Problem } from './problem.ts';
import { unavailable } from './unavailable.ts';

/** What a handler waits for adds up: a free connection, then a statement, then the next one. */
const ANSWER_WITHIN_MS = 3_200;

/**
 * Answers 503 when a handler takes too long; what it has begun goes on without a reader. The deadline ends where the
 * answer begins: one that streams may take as long as it likes.
 */
export const answerInTime: MiddlewareHandler<HttpEnv> = (c, next) => inTime(next(), () => unavailable(c, 'unknown'));

/** @throws what `late` makes, when the work takes too long */
export function inTime<T>(work: Promise<T>, late: () => Problem): Promise<T> {
  return pTimeout(work, { milliseconds: ANSWER_WITHIN_MS, fallback: () => Promise.reject(late()) });
}
