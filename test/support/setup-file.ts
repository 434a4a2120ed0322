import { afterAll } from 'vitest';
import { createLogger } from '../../src/telemetry/logger.ts';
import { installRuntime } from '../../src/temporal/runtime.ts';
import { stopForgottenWorkers } from './running-workers.ts';
import { reportWorkflowCoverage } from './workflow-coverage.ts';

/** This runs before each file, and the files of a process share what there is once in it. */
const shared = globalThis as { temporalRuntimeIsInstalled?: true };

if (!shared.temporalRuntimeIsInstalled) installRuntime(createLogger('temporal', 'fatal'), undefined);
shared.temporalRuntimeIsInstalled = true;

afterAll(stopForgottenWorkers);
afterAll(reportWorkflowCoverage);
