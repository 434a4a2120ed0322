import { Gauge } from 'prom-client';
import { type TaskQueue } from '../../workflows/contract.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { DatabaseStatistics } from './database.ts';
import type { TaskQueueStatistics } from './task-queue.ts';

/** Temporal's priorities: what has none is in the middle. */
const PRIORITIES = ['1', '2', '3', '4', '5'];
const ORDER_KINDS = [
  'START_ONBOARDING',
  'SIGNAL_ONBOARDING',
  'NOTIFY_ASSIGNEE',
  'RESCORE_LEADS',
  'ENRICH_LEAD',
  'RETRY_LEADS',
];

/** What the relay that leads has last read, for all. The others show nothing, so that nothing is there twice. */
export interface StatisticsGauges {
  showQueue(taskQueue: TaskQueue, statistics: TaskQueueStatistics): void;
  showDatabase(statistics: DatabaseStatistics): void;
  /** All of it was read just now. */
  noteRead(): void;
  /** Another relay leads. */
  clear(): void;
}

export function createGauges(metrics: Metrics): StatisticsGauges {
  const gauges: Gauge[] = [];
  const gauge = <Label extends string>(name: string, help: string, ...labelNames: Label[]) => {
    const made = new Gauge({ name, help, labelNames, registers: [metrics] });
    gauges.push(made);
    return made;
  };
  const readAt = gauge(
    'lead_statistics_last_read_timestamp_seconds',
    'When the relay that leads last read all of these',
  );
  const backlog = gauge('lead_task_queue_backlog_tasks', 'Tasks that wait for a worker', 'task_queue', 'priority');
  const age = gauge('lead_task_queue_backlog_age_seconds', 'Age of the oldest task', 'task_queue', 'priority');
  const added = gauge('lead_task_queue_added_tasks_per_second', 'Tasks that come in, as Temporal says', 'task_queue');
  const dispatched = gauge('lead_task_queue_dispatched_tasks_per_second', 'Tasks that workers take', 'task_queue');
  const pollers = gauge('lead_task_queue_pollers', 'Workers that have asked for a task of late', 'task_queue');
  const workers = gauge(
    'lead_task_queue_workers',
    'Workers that run; absent where Temporal does not tell',
    'task_queue',
  );
  const slots = gauge('lead_task_queue_slots', 'Slots of all workers that run', 'task_queue');
  const used = gauge('lead_task_queue_slots_used', 'Slots with a task in hand', 'task_queue');
  const orders = gauge('lead_outbox_orders', 'Orders to Temporal that are not carried out', 'kind', 'status');
  const orderAge = gauge('lead_outbox_oldest_age_seconds', 'Age of the oldest order', 'kind', 'status');
  const onboardings = gauge('lead_onboardings_unfinished', 'Onboardings that have not ended', 'state');
  const circuit = gauge('lead_enrichment_circuit_open', '1 while a source in trouble is left alone', 'provider');
  const budget = gauge('lead_enrichment_budget_used', 'Requests to a source today (UTC), of all callers', 'provider');
  const endpoints = gauge('lead_webhook_endpoints', 'Webhook endpoints, by whether they take events', 'state');
  const setAside = gauge('lead_webhook_events_set_aside', 'Events that an endpoint has not taken yet');

  return {
    showQueue(queue, statistics) {
      const of = { task_queue: queue };
      const inAll = statistics.byPriority;
      for (const priority of PRIORITIES) {
        const { tasks, ageSeconds } = inAll[priority] ?? { tasks: 0, ageSeconds: 0 };
        backlog.set({ ...of, priority }, tasks);
        age.set({ ...of, priority }, ageSeconds);
      }
      added.set(of, statistics.addRate);
      dispatched.set(of, statistics.dispatchRate);
      pollers.set(of, statistics.pollers);
      for (const gaugeOfSlots of [workers, slots, used]) gaugeOfSlots.remove(of);
      if (!statistics.slots) return;
      workers.set(of, statistics.slots.workers);
      slots.set(of, statistics.slots.total);
      used.set(of, statistics.slots.used);
    },
    showDatabase(statistics) {
      for (const made of [orders, orderAge, onboardings, circuit, budget, endpoints]) made.reset();
      for (const kind of ORDER_KINDS) {
        for (const status of ['pending', 'dead']) {
          orders.set({ kind, status }, 0);
          orderAge.set({ kind, status }, 0);
        }
      }
      for (const { kind, status, orders: count, ageSeconds } of statistics.orders) {
        orders.set({ kind, status }, count);
        orderAge.set({ kind, status }, ageSeconds);
      }
      for (const state of ['PENDING', 'RUNNING']) onboardings.set({ state }, 0);
      for (const { state, onboardings: count } of statistics.onboardings) onboardings.set({ state }, count);
      for (const { provider, open } of statistics.circuits) circuit.set({ provider }, open ? 1 : 0);
      for (const state of ['active', 'failing', 'paused']) endpoints.set({ state }, 0);
      for (const { state, endpoints: count } of statistics.endpoints) endpoints.set({ state }, count);
      setAside.set(statistics.setAside[0]?.events ?? 0);
      for (const { provider, used: count } of statistics.budgets) budget.set({ provider }, count);
    },
    noteRead: () => readAt.setToCurrentTime(),
    clear() {
      for (const made of gauges) made.reset();
    },
  };
}
