import { expect } from 'vitest';
import type { Answer } from './api.ts';

interface Described {
  headers?: Record<string, unknown>;
  content?: Record<string, unknown>;
}

export interface OpenApiDocument {
  paths: Record<
    string,
    Record<string, { responses: Record<string, Described>; security?: Record<string, string[]>[] }>
  >;
}

/** On every answer, whatever the operation: of the transport, or for browsers. */
const EVERYWHERE = [
  'cache-control',
  'content-length',
  'content-security-policy',
  'content-type',
  'cross-origin-opener-policy',
  'cross-origin-resource-policy',
  'referrer-policy',
  'strict-transport-security',
  'x-content-type-options',
  'x-frame-options',
];

/** Expects that the document tells an answer of an operation, as in `GET /api/leads`: status, type and each header. */
export function expectDocumented(document: OpenApiDocument, what: string, answer: Answer): void {
  const [method = '', path = ''] = what.split(' ');
  const described = document.paths[path]?.[method.toLowerCase()]?.responses[answer.status];
  if (!described) throw new Error(`${what} answers ${answer.status}, which the document does not tell`);
  const named = Object.keys(described.headers ?? {}).map((name) => name.toLowerCase());
  const sent = [...answer.headers.keys()].filter((name) => !EVERYWHERE.includes(name));
  expect(named, `${what} ${answer.status}`).toEqual(expect.arrayContaining(sent));
  const [type] = (answer.headers.get('content-type') ?? '').split(';');
  if (answer.text !== '') expect(Object.keys(described.content ?? {}), `${what} ${answer.status}`).toContain(type);
}
