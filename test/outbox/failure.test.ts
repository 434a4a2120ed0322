import { status } from '@grpc/grpc-js';
import { ServiceError, WorkflowNotFoundError } from '@temporalio/client';
import { NamespaceNotFoundError } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { concernsAll, explainFailure, type FailureKind } from '../../src/outbox/failure.ts';
import { orderSchema, readOrder } from '../../src/outbox/order.ts';

const grpc = (code: number) =>
  new ServiceError('by the test', {
    cause: Object.assign(new Error('by the test'), { code, details: 'details', metadata: {} }),
  });

describe('a failed call to Temporal', () => {
  test.for([
    ['CANCELLED', 'unreachable'],
    ['DEADLINE_EXCEEDED', 'unreachable'],
    ['UNAVAILABLE', 'unreachable'],
    ['RESOURCE_EXHAUSTED', 'unreachable'],
    ['PERMISSION_DENIED', 'refused'],
    ['UNAUTHENTICATED', 'refused'],
    ['INVALID_ARGUMENT', 'impossible'],
    ['NOT_FOUND', 'retry'],
    ['FAILED_PRECONDITION', 'retry'],
    ['INTERNAL', 'retry'],
    ['UNKNOWN', 'retry'],
  ] as const)('with %s is %s', ([name, kind]) => {
    expect(explainFailure(grpc(status[name]))).toEqual({ kind, reason: `gRPC ${status[name]}: details` });
  });

  test('for a run that is not there yet may pass', () => {
    const err = new WorkflowNotFoundError('by the test', 'lead-onboarding-1', undefined);
    expect(explainFailure(err)).toEqual({ kind: 'retry', reason: 'WorkflowNotFound' });
  });

  test('for a namespace that is not there yet would fail for every order', () => {
    expect(explainFailure(new NamespaceNotFoundError('default'))).toEqual({
      kind: 'unreachable',
      reason: 'NamespaceNotFound',
    });
  });

  test('for a row that is no order is impossible, and its reason quotes nothing of it', () => {
    const { error } = orderSchema.safeParse({ kind: 'START_ONBOARDING', payload: { source: 'João', round: 0 } });
    const failure = explainFailure(error);
    expect(failure.kind).toBe('impossible');
    expect(failure.reason).toMatch(/^Not an order: .*, payload\.round, .*payload\.source/);
    expect(failure.reason).not.toContain('João');
  });

  test('of an unknown search attribute is refused until somebody mends the set-up', () => {
    const details = 'Namespace default has no mapping defined for search attribute LeadId';
    const cause = Object.assign(new Error(details), { code: status.INVALID_ARGUMENT, details, metadata: {} });
    expect(explainFailure(new ServiceError('by the test', { cause }))).toEqual({
      kind: 'refused',
      reason: 'Search attributes are set up otherwise',
    });
  });

  test('for a reason of our own may pass, and only its kind is kept', () => {
    expect(explainFailure(new TypeError('João'))).toEqual({ kind: 'retry', reason: 'TypeError' });
    expect(explainFailure('João')).toEqual({ kind: 'retry', reason: 'Unknown' });
  });

  test('is about every order when Temporal takes nothing, or nothing from us', () => {
    const kinds: FailureKind[] = ['unreachable', 'refused', 'newer', 'impossible', 'retry'];
    expect(kinds.filter(concernsAll)).toEqual(['unreachable', 'refused']);
  });

  const START = {
    id: '01a20ab0-4317-747b-b291-bb576de0a101',
    leadId: '01a20ab0-4317-747b-b291-bb576de0a102',
    organizationId: 'org-1',
    kind: 'START_ONBOARDING',
    payload: { round: 1, enrichmentDelayMs: 0, priority: 'LOW', source: 'CRM', requestId: 'request-1' },
  };
  const read = (change: object) => {
    try {
      return readOrder({ ...START, ...change });
    } catch (err) {
      return explainFailure(err);
    }
  };
  test.for([
    ['a kind', 'kind', { kind: 'CALL_LEAD', payload: { number: 7 } }],
    ['a signal', 'payload.signal', { kind: 'SIGNAL_ONBOARDING', payload: { signal: 'rest', round: 1 } }],
    ['a priority', 'payload.priority', { payload: { ...START.payload, priority: 'URGENT' } }],
  ] as const)('for an order with %s that is not known here is left to newer code', ([, path, change]) => {
    expect(read({})).toEqual(START);
    expect(read(change)).toEqual({ kind: 'newer', reason: `Not known to this release: ${path}` });
  });

  test.for([
    ['lacks a word', { ...START.payload, priority: undefined }],
    ['has a wrong count beside an unknown word', { ...START.payload, priority: 'URGENT', round: 0 }],
  ] as const)('for an order that %s is impossible', ([, payload]) => {
    expect(read({ payload })).toMatchObject({ kind: 'impossible' });
  });
});
