import { Problem } from '../answers/problem.ts';

const MAX_FIELDS = 100;
const MEMBER = /^attributes\[(.+)\]$/s;

/**
 * What a browser sends for a form, as a script would send it in JSON: `attributes[message]` is a member of
 * `attributes`, and a field that was left empty is absent.
 * @throws Problem where a value could be read in two ways
 */
export function readUrlencoded(body: string): Record<string, unknown> {
  const sent = decode(body);
  if (sent.length > MAX_FIELDS) throw new Problem(400, 'invalid-request', `Send at most ${MAX_FIELDS} fields.`);
  const fields = new Map(sent);
  if (fields.size < sent.length) {
    const names = sent.map(([name]) => name);
    const repeated = names.filter((name, index) => names.indexOf(name) === index && names.lastIndexOf(name) > index);
    const errors = repeated.map((path) => ({ path, message: 'must be sent once' }));
    throw new Problem(400, 'invalid-request', 'Correct the body: see errors.', { errors });
  }
  const filled = [...fields].filter(([, value]) => value !== '');
  const members = filled.flatMap(([name, value]) => {
    const [, member] = MEMBER.exec(name) ?? [];
    return member === undefined ? [] : [[member, value] as const];
  });
  return {
    ...(members.length > 0 && { attributes: Object.fromEntries(members) }),
    ...(Object.fromEntries(filled.filter(([name]) => !MEMBER.test(name))) as Record<string, unknown>),
  };
}

/** `URLSearchParams` would decode what is not UTF-8 to U+FFFD without a word. */
function decode(body: string): [string, string][] {
  try {
    decodeURIComponent(body);
  } catch {
    throw new Problem(400, 'malformed-body', 'The body is not percent-encoded UTF-8.');
  }
  return [...new URLSearchParams(body)];
}
