import { randomUUID } from 'node:crypto';
import { trace } from '@opentelemetry/api';
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  RandomIdGenerator,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node';
import { describe, expect, onTestFinished, test } from 'vitest';
import { isTracing, requestIdOf, spanOfRequest, withRequestSpan, withSpan } from '../../src/telemetry/tracing.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

describe('the span of a request', () => {
  test('follows from its id: a UUID is its own trace', () => {
    const id = randomUUID();
    expect(spanOfRequest(id)).toEqual({
      traceId: id.replaceAll('-', ''),
      spanId: expect.stringMatching(/^[\da-f]{16}$/) as string,
    });
    expect(spanOfRequest(id)).toEqual(spanOfRequest(id));
    expect(spanOfRequest(id).spanId).not.toBe(spanOfRequest(randomUUID()).spanId);
  });

  test.for(['order 7', '', '0'.repeat(32), '00000000-0000-0000-0000-000000000000', TRACE.toUpperCase()])(
    'has a trace of its own for %j',
    (id) => {
      expect(spanOfRequest(id).traceId).toMatch(/^(?!0{32})[\da-f]{32}$/);
      expect(spanOfRequest(id).traceId).not.toBe(spanOfRequest(`${id}.`).traceId);
    },
  );

  test("is of its caller's trace, and not its caller's own, nor that of the caller's next request", () => {
    const id = requestIdOf(`00-${TRACE}-${SPAN}-01`) ?? '';
    expect(spanOfRequest(id).traceId).toBe(TRACE);
    expect(spanOfRequest(id).spanId).not.toBe(SPAN);
    expect(requestIdOf(`00-${TRACE}-${SPAN.replace('b7', 'b8')}-01`)).not.toBe(id);
    expect(id.length).toBeLessThanOrEqual(64); // as long as a request id may be
  });
});

test.for([
  undefined,
  '',
  'nonsense',
  `00-${TRACE}-${SPAN}`,
  `00-${'0'.repeat(32)}-${SPAN}-01`,
  `00-${TRACE}-${'0'.repeat(16)}-01`,
  `00-${TRACE.toUpperCase()}-${SPAN}-01`,
  `00-${TRACE}-${SPAN}-01x`,
])('%j as traceparent says nothing', (header) => {
  expect(requestIdOf(header)).toBeUndefined();
});

test('without a collector there are no spans', async () => {
  expect(isTracing()).toBe(false);
  expect(await withSpan('x', {}, (span) => Promise.resolve(span))).toBeUndefined();
  expect(await withRequestSpan(randomUUID(), 'x', undefined, (span) => Promise.resolve(span))).toBeUndefined();
});

test('a span that begins within that of a request, at once, has an id of its own', async () => {
  const copy = '../../src/telemetry/tracing.ts?on'; // which is on: the one that all tests share stays off
  const tracing = (await import(/* @vite-ignore */ copy)) as typeof import('../../src/telemetry/tracing.ts');
  const exporter = new InMemorySpanExporter();
  const provider = new NodeTracerProvider({
    idGenerator: tracing.turnTracingOn(new RandomIdGenerator()),
    spanProcessors: [new SimpleSpanProcessor(exporter)],
  });
  trace.setGlobalTracerProvider(provider);
  onTestFinished(() => trace.disable());
  const id = randomUUID();
  await tracing.withRequestSpan(id, 'request', undefined, () =>
    tracing.withSpan('statement', {}, () => Promise.resolve()),
  );
  const spans = exporter.getFinishedSpans().map((span) => [span.name, span.spanContext().spanId]);
  expect(spans).toEqual([
    ['statement', expect.not.stringMatching(spanOfRequest(id).spanId) as string],
    ['request', spanOfRequest(id).spanId],
  ]);
});
