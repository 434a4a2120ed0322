import { z } from 'zod';
import { valid } from '../../command/option.ts';
import type { Endpoint } from '../endpoint.ts';

export const readId = valid(z.uuid('must be the id of an endpoint'));

/** An endpoint in a line. */
export function describeEndpoint({ id, organizationId: owner, url: address, ...endpoint }: Endpoint): string {
  const state = endpoint.pausedBecause === null ? 'active' : `paused: ${endpoint.pausedBecause}`;
  const failing = endpoint.failingSince === null ? [] : [`fails since ${endpoint.failingSince}`];
  const what = endpoint.types?.join(',') ?? 'all events';
  return [
    id,
    owner ?? 'all organizations',
    address,
    what,
    state,
    ...failing,
    `${endpoint.setAside} set aside`,
    `${endpoint.givenUp} given up`,
  ].join('  ');
}
