import { afterAll } from 'vitest';
import { createLogger } from '../../src/telemetry/logger.ts';
import { installRuntime } from '../../src/temporal/runtime.ts';
import { reportWorkflowCoverage } from './workflow-coverage.ts';

installRuntime(createLogger('temporal', 'fatal'), undefined);

afterAll(reportWorkflowCoverage);
