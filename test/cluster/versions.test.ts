import { inject } from 'vitest';
import { describeVersions } from '../scenarios/temporal/versions/two-versions.ts';
import { createTestClient } from '../support/temporal.ts';
import { NAMESPACES } from './server/configuration.ts';

describeVersions(() => {
  const client = createTestClient(NAMESPACES.versions);
  return Promise.resolve({ address: inject('temporalAddress'), client, stop: () => client.connection.close() });
});
