import { reconcileAssignments } from './assignments.ts';
import { type ReconcilerDependencies, reconcileOnboardings } from './onboardings.ts';
import { reportPutAside } from './put-aside.ts';
import { reconcileRescores } from './rescores.ts';
import { startPasses } from './passes.ts';

/**
 * Looks, pass after pass, for what nothing would finish. Any number of copies may do so.
 * @param intervalMs between two passes; 0 for no passes at all
 * @returns a function that ends it
 */
export function startReconciler(deps: ReconcilerDependencies, intervalMs: number): () => Promise<void> {
  const pass = async (signal: AbortSignal) => {
    await reportPutAside(deps.pool, deps.log);
    await reconcileOnboardings(deps, signal);
    await reconcileAssignments(deps, signal);
    await reconcileRescores(deps);
  };
  return startPasses({ what: 'reconciler', intervalMs, pass, log: deps.log });
}
