import { isGrpcServiceError, ServiceError, WorkflowNotFoundError } from '@temporalio/client';
import { NamespaceNotFoundError } from '@temporalio/common';
import { ZodError } from 'zod';
import { isAttributeFault } from '../temporal/search-attributes.ts';
import { UnknownOrder } from './order.ts';

/**
 * What a failed call to Temporal means for an order:
 * `unreachable`: Temporal takes nothing now, so that every other order would fail too;
 * `refused`: it takes nothing from us, until somebody mends our key, our rights or its set-up;
 * `newer`: the order is one for newer code than this, which runs already or will;
 * `impossible`: the order itself is refused and always will be;
 * `retry`: anything else, which may pass.
 */
export type FailureKind = 'unreachable' | 'refused' | 'newer' | 'impossible' | 'retry';

/** gRPC status codes, https://grpc.io/docs/guides/status-codes/ */
const KINDS: Record<number, FailureKind> = {
  1: 'unreachable', // CANCELLED: our connection was closed
  3: 'impossible', // INVALID_ARGUMENT
  4: 'unreachable', // DEADLINE_EXCEEDED
  7: 'refused', // PERMISSION_DENIED
  8: 'unreachable', // RESOURCE_EXHAUSTED: a limit of the namespace or of the server; more calls make it worse
  14: 'unreachable', // UNAVAILABLE
  16: 'refused', // UNAUTHENTICATED
};

/**
 * Temporal does not run the round that a command is for. Postgres says whether there is to be a run of it, or whether the
 * command came too late.
 */
export class RoundNotRunning extends Error {
  override name = 'RoundNotRunning';
  readonly leadId: string;
  readonly round: number;

  constructor(leadId: string, round: number) {
    super(`The onboarding of ${leadId} does not run in round ${round}`);
    this.leadId = leadId;
    this.round = round;
  }
}

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
  if (err instanceof UnknownOrder) return { kind: 'newer', reason: `Not known to this release: ${err.message}` };
  if (err instanceof WorkflowNotFoundError) return { kind: 'retry', reason: 'WorkflowNotFound' };
  // A store that was lost has no namespace until somebody, or the server at its start, creates it.
  if (err instanceof NamespaceNotFoundError) return { kind: 'unreachable', reason: 'NamespaceNotFound' };
  const cause = err instanceof ServiceError ? err.cause : err;
  if (isAttributeFault(cause)) return { kind: 'refused', reason: 'Search attributes are set up otherwise' };
  if (isGrpcServiceError(cause))
    return { kind: KINDS[cause.code] ?? 'retry', reason: `gRPC ${cause.code}: ${cause.details}` };
  return { kind: 'retry', reason: err instanceof Error ? err.name : 'Unknown' };
}

/** Says whether a failure is not about the one order, but about every call to Temporal. */
export const concernsAll = (kind: FailureKind): kind is 'unreachable' | 'refused' =>
  kind === 'unreachable' || kind === 'refused';
