import type { MiddlewareHandler } from 'hono';
import type { HttpEnv } from './context.ts';
import { unavailable } from './unavailable.ts';

/** What a handler waits for adds up: a free connection, then a statement, then the next one. */
const ANSWER_WITHIN_MS = 3_200;

/**
 * Answers 503 when a handler takes too long; what it has begun goes on without a reader. The deadline ends where the
 * answer begins: one that streams may take as long as it likes.
 */
export const answerInTime: MiddlewareHandler<HttpEnv> = async (c, next) => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(unavailable(c, 'unknown')), ANSWER_WITHIN_MS);
  });
  try {
    await Promise.race([next(), late]);
  } finally {
    clearTimeout(timer);
  }
};
