import type { LeadCreatedEvent } from '@/core/domain/events/lead-events';
import { handleLeadCreated } from './handlers/lead-handlers';

type Handler = (event: LeadCreatedEvent) => Promise<void>;

class EventBus {
  private readonly handlers = new Map<string, Handler[]>();

  on(type: LeadCreatedEvent['type'], handler: Handler): void {
    this.handlers.set(type, [...(this.handlers.get(type) ?? []), handler]);
  }

  async emit(event: LeadCreatedEvent): Promise<void> {
    console.log(
      `[EventBus] Event emitted: ${event.type} (${event.id})`,
      JSON.stringify({ timestamp: event.timestamp, metadata: event.metadata }),
    );
    for (const handler of this.handlers.get(event.type) ?? []) await handler(event);
  }
}

let eventBus: EventBus | undefined;

export function getEventBus(): EventBus {
  if (eventBus === undefined) {
    eventBus = new EventBus();
    eventBus.on('LeadCreated', handleLeadCreated);
  }
  return eventBus;
}
