import { leadWorker } from '@/infrastructure/jobs/workers/lead-worker';
import { notificationWorker } from '@/infrastructure/jobs/workers/notification-worker';

await Promise.all([leadWorker.waitUntilReady(), notificationWorker.waitUntilReady()]);
console.log('[Workers] ready');
