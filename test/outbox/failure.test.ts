import { status } from '@grpc/grpc-js';
import { ServiceError, WorkflowNotFoundError } from '@temporalio/client';
import { NamespaceNotFoundError } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { explainFailure } from '../../src/outbox/failure.ts';
import { orderSchema } from '../../src/outbox/order.ts';

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
    const { error } = orderSchema.safeParse({ kind: 'START_ONBOARDING', payload: { source: 'João' } });
    const failure = explainFailure(error);
    expect(failure.kind).toBe('impossible');
    expect(failure.reason).toContain('payload.source');
    expect(failure.reason).not.toContain('João');
  });
});
