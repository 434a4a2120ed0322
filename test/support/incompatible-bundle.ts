import { join } from 'node:path';
import { bundleWorkflows } from '../../src/temporal/workflow-bundle.ts';

/** Bundles a version of the workflows that can go on with no onboarding of ours. */
export const bundleIncompatible = () => bundleWorkflows(join(import.meta.dirname, 'incompatible-workflows.ts'));
