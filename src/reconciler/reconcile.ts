import { reconcileAssignments } from './assignments.ts';
import { type ReconcilerDependencies, reconcileOnboardings } from './onboardings.ts';
import { reportPutAside } from './put-aside.ts';
import { reconcileRescores } from './rescores.ts';
import { startRounds } from './rounds.ts';

/**
 * Looks, round after round, for what nothing would finish. Any number of copies may do so.
 * @param intervalMs between two rounds; 0 for no rounds at all
 * @returns a function that ends it
 */
export function startReconciler(deps: ReconcilerDependencies, intervalMs: number): () => Promise<void> {
  const round = async (signal: AbortSignal) => {
    await reportPutAside(deps.pool, deps.log);
    await reconcileOnboardings(deps, signal);
    await reconcileAssignments(deps, signal);
    await reconcileRescores(deps);
  };
  return startRounds({ what: 'reconciler', intervalMs, round, log: deps.log });
}
