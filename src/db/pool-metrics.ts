import type { Pool } from 'pg';
import { Gauge } from 'prom-client';
import type { Metrics } from '../telemetry/metrics.ts';

/** Shows what pools of connections have in use, each time somebody asks. @returns a function that adds one */
export function measurePools(metrics: Metrics): (pool: Pool) => void {
  const pools: Pool[] = [];
  const nameOf = ({ options }: Pool) => options.application_name ?? '';
  new Gauge({
    name: 'lead_db_pool_connections',
    help: 'Connections of a pool',
    labelNames: ['pool', 'state'],
    registers: [metrics],
    collect() {
      for (const pool of pools) {
        this.set({ pool: nameOf(pool), state: 'idle' }, pool.idleCount);
        this.set({ pool: nameOf(pool), state: 'used' }, pool.totalCount - pool.idleCount);
      }
    },
  });
  new Gauge({
    name: 'lead_db_pool_max_connections',
    help: 'Connections that a pool may have',
    labelNames: ['pool'],
    registers: [metrics],
    collect() {
      for (const pool of pools) this.set({ pool: nameOf(pool) }, pool.options.max);
    },
  });
  new Gauge({
    name: 'lead_db_pool_waiting',
    help: 'What waits for a connection of a pool',
    labelNames: ['pool'],
    registers: [metrics],
    collect() {
      for (const pool of pools) this.set({ pool: nameOf(pool) }, pool.waitingCount);
    },
  });
  return (pool) => pools.push(pool);
}
