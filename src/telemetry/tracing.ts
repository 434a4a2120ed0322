import { createHash } from 'node:crypto';
import {
  type Attributes,
  context,
  isValidSpanId,
  isValidTraceId,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
} from '@opentelemetry/api';
import { z } from 'zod';

export { SpanKind };

/** What a span says: ids, codes, counts and names of our own making. Names, e-mails and phones have no place in it. */
export interface SpanOptions {
  kind?: SpanKind;
  attributes?: Attributes;
  /** The request that this goes back to, however long ago and in whichever process: the span is of its trace. */
  requestId?: string | undefined;
}

/** While it is off, nothing below costs more than asking for it. */
let isOn = false;

export const isTracing = (): boolean => isOn;

/** Ids that the next span gets in place of random ones. */
let ordained: Pick<SpanContext, 'traceId' | 'spanId'> | undefined;

/** Turns spans on, in a process that sends them somewhere. @returns where its provider gets the ids of spans from */
export function turnTracingOn(random: IdSource): IdSource {
  isOn = true;
  return {
    generateTraceId: () => ordained?.traceId ?? random.generateTraceId(),
    generateSpanId: () => ordained?.spanId ?? random.generateSpanId(),
  };
}

export interface IdSource {
  generateTraceId(): string;
  generateSpanId(): string;
}

const tracer = trace.getTracer('lead-onboarding');

const hash = (text: string, bytes: number) =>
  createHash('sha256')
    .update(text)
    .digest('hex')
    .slice(0, bytes * 2);

/** A request id that `requestIdOf` made. */
const OF_CALLER = /^([\da-f]{32})-[\da-f]{16}$/;

const uuid = z.uuid();

/**
 * A request's trace and span, which follow from its id: so whoever knows the id, which orders, runs and steps carry,
 * needs nothing else to go on with the trace. A UUID is a trace id.
 */
export function spanOfRequest(requestId: string): Pick<SpanContext, 'traceId' | 'spanId'> {
  const [, ofCaller = ''] = OF_CALLER.exec(requestId) ?? [];
  const plain = uuid.safeParse(requestId).success ? requestId.replaceAll('-', '').toLowerCase() : ofCaller;
  const traceId = isValidTraceId(plain) ? plain : hash(requestId, 16);
  return { traceId, spanId: hash(`span of ${requestId}`, 8) };
}

/** The id of a request whose caller says what its own span is: of the same trace. @returns undefined for nonsense */
export function requestIdOf(traceparent: string | undefined): string | undefined {
  const caller = readTraceparent(traceparent);
  return caller && `${caller.traceId}-${caller.spanId}`;
}

/**
 * Runs something within a span that others can go on from: that of a request.
 * @param requestId whose span it is
 * @param traceparent what the caller says of its own span
 */
export function withRequestSpan<Result>(
  requestId: string,
  name: string,
  traceparent: string | undefined,
  run: (span: Span | undefined) => Promise<Result>,
): Promise<Result> {
  return isOn ? runIn(startRequestSpan(requestId, name, traceparent), run) : run(undefined);
}

function startRequestSpan(requestId: string, name: string, traceparent: string | undefined): Span {
  const caller = readTraceparent(traceparent);
  const own = spanOfRequest(requestId);
  const isCallers = caller?.traceId === own.traceId;
  const links = caller && !isCallers ? [{ context: caller }] : [];
  const parent = isCallers ? trace.setSpanContext(context.active(), caller) : context.active();
  ordained = own;
  try {
    return tracer.startSpan(name, { kind: SpanKind.SERVER, links, root: !isCallers }, parent);
  } finally {
    ordained = undefined; // what begins within it has ids of its own
  }
}

/** Runs something within a span, of the request that it names or of the span that is active. */
export function withSpan<Result>(
  name: string,
  { kind = SpanKind.INTERNAL, attributes = {}, requestId }: SpanOptions,
  run: (span: Span | undefined) => Promise<Result>,
): Promise<Result> {
  if (!isOn) return run(undefined);
  if (requestId === undefined) return runIn(tracer.startSpan(name, { kind, attributes }), run);
  const request: SpanContext = { ...spanOfRequest(requestId), traceFlags: TraceFlags.SAMPLED, isRemote: true };
  const parent = trace.setSpanContext(context.active(), request);
  return runIn(tracer.startSpan(name, { kind, attributes, links: [{ context: request }] }, parent), run);
}

/** The trace of what is done now, for a line of the log. */
export function activeTraceId(): string | undefined {
  return isOn ? trace.getActiveSpan()?.spanContext().traceId : undefined;
}

async function runIn<Result>(span: Span, run: (span: Span) => Promise<Result>): Promise<Result> {
  try {
    return await context.with(trace.setSpan(context.active(), span), () => run(span));
  } catch (err) {
    span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute('error.type', typeOf(err));
    throw err;
  } finally {
    span.end();
  }
}

/** Its kind alone: messages quote what people typed. */
function typeOf(err: unknown): string {
  if (!(err instanceof Error)) return typeof err;
  return 'type' in err && typeof err.type === 'string' ? err.type : err.name;
}

/** https://www.w3.org/TR/trace-context/#traceparent-header */
const TRACEPARENT = /^[\da-f]{2}-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-|$)/;

/** What a caller says that its own span is; undefined for nonsense. */
function readTraceparent(header: string | undefined): SpanContext | undefined {
  const [, traceId = '', spanId = '', flags = ''] = TRACEPARENT.exec(header ?? '') ?? [];
  if (!isValidTraceId(traceId) || !isValidSpanId(spanId)) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
}
