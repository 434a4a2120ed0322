import { describe, expect, test } from 'vitest';
import { ZodError } from 'zod';
import { readOrder, UnknownOrder } from '../../src/outbox/order.ts';

const [ID, LEAD, RUN] = ['1', '2', '3'].map((last) => `01a20ab0-4317-747b-b291-bb576de0a10${last}`);
const base = { id: ID, leadId: LEAD, organizationId: 'org-1' };
const requestId = 'request-1';
const start = { round: 1, enrichmentDelayMs: 600_000, priority: 'LOW', source: 'CRM', requestId };

const ORDERS = {
  'a first start': { ...base, kind: 'START_ONBOARDING', payload: start },
  'a start that is ordered again': {
    ...base,
    kind: 'START_ONBOARDING',
    payload: { ...start, again: true, commands: ['enrichNow', 'skipEnrichment'] },
  },
  'a command': { ...base, kind: 'SIGNAL_ONBOARDING', payload: { signal: 'skipEnrichment', round: 2, requestId } },
  'the end of an erased lead': {
    ...base,
    kind: 'SIGNAL_ONBOARDING',
    payload: { signal: 'cancel', round: 1, requestId, erasedAt: '2026-11-24T12:00:00Z' },
  },
  'a new priority': {
    ...base,
    kind: 'SIGNAL_ONBOARDING',
    payload: { signal: 'changePriority', priority: 'HIGH', version: 2, round: 1, requestId },
  },
  'a notification': {
    ...base,
    kind: 'NOTIFY_ASSIGNEE',
    payload: { assignment: 2, priority: 'HIGH', requestId, again: true },
  },
  'a rescore': { ...base, leadId: null, kind: 'RESCORE_LEADS', payload: { rescoreId: RUN, requestId } },
  'an enrichment': {
    ...base,
    kind: 'ENRICH_LEAD',
    payload: { run: RUN, fresh: true, priority: 'LOW', requestId },
  },
};

const OPTIONAL = new Set(['again', 'commands', 'erasedAt']);

describe.for(Object.entries(ORDERS))('%s', ([, order]) => {
  test('is read as it was written', () => {
    expect(readOrder(order)).toEqual(order);
  });

  test('is no order without any of its parts', () => {
    const read = (change: object) => () => readOrder({ ...order, ...change });
    for (const part of Object.keys(order)) expect(read({ [part]: undefined }), part).toThrow(ZodError);
    for (const part of Object.keys(order.payload).filter((name) => !OPTIONAL.has(name))) {
      expect(read({ payload: { ...order.payload, [part]: undefined } }), part).toThrow(ZodError);
    }
  });
});

test('what is not known of an order is named, one by one', () => {
  const payload = { ...start, priority: 'URGENT', source: 'FAX' };
  const unknown = () => readOrder({ ...base, kind: 'START_ONBOARDING', payload });
  expect(unknown).toThrow(UnknownOrder);
  expect(unknown).toThrow(expect.objectContaining({ message: 'payload.priority, payload.source' }));
});
