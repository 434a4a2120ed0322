import { inject } from 'vitest';
import { startOwnTemporal } from './engine.ts';
import { describeVersions } from './two-versions.ts';

describeVersions(() => startOwnTemporal(inject('temporalCli')));
