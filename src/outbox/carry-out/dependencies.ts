import type { Client } from '@temporalio/client';
import type { Logger } from '../../telemetry/logger.ts';
import type { SearchAttributeRegistry } from '../../temporal/search-attribute-registry.ts';

export interface CarrierDependencies {
  client: Client;
  searchAttributes: SearchAttributeRegistry;
  log: Logger;
}
