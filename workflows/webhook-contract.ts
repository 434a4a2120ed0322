export const WEBHOOK_DELIVERY = 'webhookDelivery';

/** The workflow id of delivering to an endpoint: one run at a time. */
export const webhookWorkflowId = (endpointId: string) => `webhook-${endpointId}`;

/** Names an endpoint. */
export interface WebhookRef {
  endpointId: string;
}

/** Its activity on the task queue `webhook`. */
export interface WebhookActivities {
  /** Delivers until the endpoint has all, takes nothing, or a quarter of an hour has gone by. */
  deliverEvents: (input: WebhookRef) => Promise<void>;
}
