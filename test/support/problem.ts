import { expect } from 'vitest';
import type { ProblemCode } from '../../src/http/answers/problem.ts';
import type { Answer } from './api.ts';

/** Checks that an answer is a whole problem document (RFC 9457) of this kind, which names these fields and no more. */
export function expectProblem(answer: Answer, status: number, code: ProblemCode, paths?: string[]): void {
  const text = expect.stringMatching(/./) as string;
  expect({ status: answer.status, body: answer.body }).toEqual({
    status,
    body: {
      type: `urn:lead-onboarding:problem:${code}`,
      title: text,
      status,
      detail: text,
      requestId: text,
      ...(paths && { errors: paths.map((path) => ({ path, message: text })) }),
    },
  });
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  expect(answer.headers.get('x-request-id')).toBe((answer.body as { requestId: string }).requestId);
}
