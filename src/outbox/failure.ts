import { isGrpcServiceError, ServiceError, WorkflowNotFoundError } from '@temporalio/client';
import { ZodError } from 'zod';

/**
 * What a failed call to Temporal means for an order:
 * `unreachable`: Temporal is down, so that every other order would fail too;
 * `impossible`: the order itself is refused and always will be;
 * `retry`: anything else, which may pass.
 */
export type FailureKind = 'unreachable' | 'impossible' | 'retry';

/** gRPC status codes, https://grpc.io/docs/guides/status-codes/ */
const KINDS: Record<number, FailureKind> = {
  1: 'unreachable', // CANCELLED: our connection was closed
  3: 'impossible', // INVALID_ARGUMENT
  4: 'unreachable', // DEADLINE_EXCEEDED
  14: 'unreachable', // UNAVAILABLE
};

export interface OrderFailure {
  kind: FailureKind;
  /** Kept with the order: the name and code of the error; Temporal's own text only where it names no input. */
  reason: string;
}

export function explainFailure(err: unknown): OrderFailure {
  if (err instanceof ZodError) {
    const paths = err.issues.map(({ path }) => path.join('.'));
    return { kind: 'impossible', reason: `Not an order: ${paths.join(', ')}` };
  }
  if (err instanceof WorkflowNotFoundError) return { kind: 'retry', reason: 'WorkflowNotFound' };
  const cause = err instanceof ServiceError ? err.cause : err;
  if (isGrpcServiceError(cause))
    return { kind: KINDS[cause.code] ?? 'retry', reason: `gRPC ${cause.code}: ${cause.details}` };
  return { kind: 'retry', reason: err instanceof Error ? err.name : 'Unknown' };
}
