import { randomUUID } from 'node:crypto';

export interface LeadCreatedPayload {
  leadId: string;
  organizationId: string;
  name: string;
  email: string | null;
  status: string;
  source: string;
  assignedTo?: string;
}

export interface EventMetadata {
  userId: string;
  ipAddress: string;
}

export class LeadCreatedEvent {
  readonly type = 'LeadCreated';
  readonly id = `event-${randomUUID()}`;
  readonly timestamp = new Date();
  readonly payload: LeadCreatedPayload;
  readonly metadata: EventMetadata;

  constructor(payload: LeadCreatedPayload, metadata: EventMetadata) {
    this.payload = payload;
    this.metadata = metadata;
  }
}
