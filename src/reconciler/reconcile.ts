import { reconcileBulkRetries } from './bulk-retries.ts';
import { startPasses } from './passes.ts';
import { reportPutAside } from './put-aside.ts';
import { reconcileRescores } from './rescores.ts';
import { type ReconcilerDependencies, reconcileWatched } from './watches.ts';

/**
 * Looks, pass after pass, for what nothing would finish. Any number of copies may do so; no part waits for another.
 * @param intervalMs between two passes; 0 for no passes at all
 * @returns a function that ends it
 */
export function startReconciler(deps: ReconcilerDependencies, intervalMs: number): () => Promise<void> {
  const parts = {
    'orders put aside': () => reportPutAside(deps.pool, deps.log),
    'reconciler of leads': (signal: AbortSignal) => reconcileWatched(deps, signal),
    'reconciler of rescores': () => reconcileRescores(deps),
    'reconciler of bulk retries': () => reconcileBulkRetries(deps),
  };
  const stops = Object.entries(parts).map(([what, pass]) => startPasses({ what, intervalMs, pass, log: deps.log }));
  return async () => {
    await Promise.all(stops.map((stop) => stop()));
  };
}
