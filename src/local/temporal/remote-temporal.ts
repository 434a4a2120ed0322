import { Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { StartError } from '../start-error.ts';

const ANSWER_WITHIN_MS = 5_000;

/**
 * Makes sure that a Temporal somebody else runs can be used, with the `TEMPORAL_*` settings of the environment.
 * @returns its address
 * @throws StartError
 */
export async function checkTemporal(): Promise<string> {
  const { connectionOptions, namespace = 'default' } = loadClientConnectConfig();
  const address = connectionOptions.address ?? 'localhost:7233';
  try {
    const connection = await Connection.connect({ ...connectionOptions, connectTimeout: ANSWER_WITHIN_MS });
    try {
      await connection.withDeadline(Date.now() + ANSWER_WITHIN_MS, () =>
        connection.workflowService.describeNamespace({ namespace }),
      );
    } finally {
      await connection.close();
    }
    return address;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartError(
      `TEMPORAL_ADDRESS: no usable Temporal at ${address}, namespace ${namespace} (${reason}): ` +
        'start it or correct the TEMPORAL_* variables, or unset TEMPORAL_ADDRESS to use a local one',
    );
  }
}
