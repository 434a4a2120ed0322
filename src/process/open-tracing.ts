import { diag, DiagLogLevel } from '@opentelemetry/api';
import { turnTracingOn } from '../telemetry/tracing.ts';
import type { ProcessContext } from './run-process.ts';

/** A collector that is away holds up no end of a process for longer. */
const FLUSH_WITHIN_MS = 5_000;

/**
 * Sends the spans of a process to the collector at `OTEL_EXPORTER_OTLP_ENDPOINT`, over OTLP/HTTP; without it there are
 * none. What else there is to set, as sampling, is set by OpenTelemetry's own variables
 * (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/). Call it before anything is opened
 * that makes spans.
 * @param part of the deployment: `api`, `relay` or `worker`
 */
export async function openTracing({ env, log, closers }: ProcessContext, part: string): Promise<void> {
  if (env.OTEL_EXPORTER_OTLP_ENDPOINT === undefined) return;
  const [{ OTLPTraceExporter }, { BatchSpanProcessor, NodeTracerProvider, RandomIdGenerator }, resources] =
    await Promise.all([
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/sdk-trace-node'),
      import('@opentelemetry/resources'),
    ]);
  const warn = (message: string) => log.warn({ message }, 'spans not sent');
  const quiet = () => undefined;
  diag.setLogger({ error: warn, warn, info: quiet, debug: quiet, verbose: quiet }, DiagLogLevel.WARN);
  const { defaultResource, detectResources, envDetector, resourceFromAttributes } = resources;
  const provider = new NodeTracerProvider({
    idGenerator: turnTracingOn(new RandomIdGenerator()),
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': `lead-onboarding-${part}`, 'process.pid': process.pid }))
      .merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter(), { exportTimeoutMillis: FLUSH_WITHIN_MS })],
  });
  provider.register();
  closers.add('spans', () => provider.shutdown());
}
