export { assigneeNotification } from './assignee-notification.ts';
export { leadEnrichment } from './lead-enrichment.ts';
export { leadOnboarding } from './lead-onboarding.ts';
export { retention } from './retention.ts';
export { rescoreLeads } from './rescore-leads.ts';
export { retryLeads } from './retry-leads.ts';
export { webhookDelivery } from './webhook-delivery.ts';
