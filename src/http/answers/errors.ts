import { HTTPException } from 'hono/http-exception';
import type { Context, ErrorHandler } from 'hono';
import { KeyEnded, KeyExceedsMaker, KeyNotFound, TooManyKeys } from '../../api-keys/errors.ts';
import { ShareUsedUp } from '../../db/fair-share.ts';
import { databaseFault } from '../../db/faults.ts';
import { AnswerForgotten, KeyReused } from '../../db/once.ts';
import { BulkRetryNotFound, BulkRetryOver, BulkRetryUnderWay, TooManyFailures } from '../../failures/errors.ts';
import { AttributesTooLarge, EmailTaken, LeadChanged, LeadNotFound } from '../../leads/errors.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { NotificationNotFound } from '../../notifications/inbox.ts';
import { CommandImpossible } from '../../onboarding/command.ts';
import { NotScored, RescoreNotFound, RescoreOver, RulesNotFound } from '../../scoring/errors.ts';
import { EndpointNotFound, EventNotFound, TooManyEndpoints } from '../../webhooks/errors.ts';
import { CursorError } from '../../db/paging.ts';
import type { HttpEnv } from '../context.ts';
import { routeOf } from '../server/route-of.ts';
import { overShare, Problem } from './problem.ts';
import { unavailable } from './unavailable.ts';

const NOT_FOUND = [
  LeadNotFound,
  NotificationNotFound,
  KeyNotFound,
  RulesNotFound,
  RescoreNotFound,
  BulkRetryNotFound,
  EndpointNotFound,
  EventNotFound,
];
const CONFLICTS = [
  ...[EmailTaken, CommandImpossible, KeyEnded, TooManyKeys, NotScored, RescoreOver],
  ...[BulkRetryOver, BulkRetryUnderWay, TooManyFailures, TooManyEndpoints],
];
const isOneOf = (kinds: (new (id: never) => Error)[], err: unknown): err is Error =>
  kinds.some((kind) => err instanceof kind);

/** Turns whatever was thrown into a problem document. A fault of ours is logged, and its cause never told. */
export function answerErrors(log: Logger): ErrorHandler<HttpEnv> {
  return (err, c) => {
    const problem = toProblem(err, c);
    if (problem.status >= 500) {
      const request = { requestId: c.get('requestId'), method: c.req.method, route: routeOf(c) };
      log.error({ ...request, err }, 'request failed');
    }
    return problem.toResponse(c);
  };
}

function toProblem(err: unknown, c: Context<HttpEnv>): Problem {
  if (err instanceof Problem) return err;
  if (isOneOf(NOT_FOUND, err)) return new Problem(404, 'not-found', err.message);
  if (isOneOf(CONFLICTS, err)) return new Problem(409, 'conflict', err.message);
  if (err instanceof ShareUsedUp) return overShare(err.message, 1);
  if (err instanceof KeyExceedsMaker) return new Problem(403, 'forbidden', err.message);
  if (err instanceof KeyReused) return new Problem(422, 'idempotency-key-reused', err.message);
  if (err instanceof AnswerForgotten) return new Problem(410, 'lead-erased', err.message);
  if (err instanceof LeadChanged) return new Problem(412, 'precondition-failed', err.message);
  if (err instanceof AttributesTooLarge) {
    const errors = [{ path: 'attributes', message: err.message }];
    return new Problem(400, 'invalid-request', 'Correct the body: see errors.', { errors });
  }
  if (err instanceof CursorError) {
    const errors = [{ path: 'cursor', message: 'must be a nextCursor that this list has answered' }];
    return new Problem(400, 'invalid-request', 'Leave the cursor out to begin at the start.', { errors });
  }
  if (err instanceof HTTPException && err.status === 400) {
    return new Problem(400, 'malformed-body', 'Send a body that is one JSON value.');
  }
  switch (databaseFault(err)) {
    case 'locked':
      return new Problem(409, 'request-running', 'Wait for the first answer, or try again in a second.', {
        headers: { 'retry-after': '1' },
      });
    case 'refused':
      return unavailable(c, 'nothing-stored');
    case 'broken-off':
      return unavailable(c, 'unknown');
    case undefined:
      return new Problem(500, 'internal', 'Try again; if it stays, tell us the requestId.');
  }
}
