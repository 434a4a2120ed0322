import { Problem } from '../answers/problem.ts';
import { findRepeatedName } from './repeated-name.ts';

/**
 * Reads JSON in which nothing is said twice: of two values for one name one would be dropped without a word.
 * @throws Problem, which never quotes the text, as an error of `JSON.parse` does
 */
export function parseJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Problem(400, 'malformed-body', 'Send a body that is one JSON value.');
  }
  const repeated = findRepeatedName(text);
  if (repeated === undefined) return value;
  throw new Problem(400, 'invalid-request', 'Correct the body: see errors.', {
    errors: [{ path: repeated, message: 'must be sent once' }],
  });
}
