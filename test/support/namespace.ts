import { randomBytes } from 'node:crypto';
import type { Interceptor } from '@grpc/grpc-js';
import { Client, Connection } from '@temporalio/client';
import { expect, inject, onTestFinished } from 'vitest';

const KEYWORD = 2; // temporal.api.enums.v1.IndexedValueType

/** Search attributes of these names, as our code makes them. */
export const keywords = (names: readonly string[]): Record<string, number> =>
  Object.fromEntries(names.map((name) => [name, KEYWORD]));

/** A client for a namespace of its own until the test ends, with these search attributes. */
export async function newNamespace(types: Record<string, number>, interceptors: Interceptor[] = []) {
  const namespace = `own-${randomBytes(4).toString('hex')}`;
  const address = inject('temporalAddress');
  const [connection, ownConnection] = [Connection.lazy({ address, interceptors }), Connection.lazy({ address })];
  onTestFinished(async () => {
    await connection.close();
    await ownConnection.close();
  });
  await ownConnection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
  });
  const add = (searchAttributes: Record<string, number>) =>
    ownConnection.operatorService.addSearchAttributes({ namespace, searchAttributes });
  const added = () =>
    add(types).then(
      () => true,
      () => false,
    ); // a namespace is not known everywhere at once
  await expect.poll(added, { interval: 100 }).toBe(true);
  return { client: new Client({ connection, namespace }), add };
}
