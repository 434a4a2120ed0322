import { ATTEMPT_DAYS } from './limits.ts';

/** No endpoint with this id, or none that the caller may see. */
export class EndpointNotFound extends Error {
  override name = 'EndpointNotFound';
  constructor(id: string) {
    super(`There is no webhook endpoint ${id}.`);
  }
}

/** The organization has as many as it may. */
export class TooManyEndpoints extends Error {
  override name = 'TooManyEndpoints';
}

/** The endpoint was not asked to take it of late. */
export class EventNotFound extends Error {
  override name = 'EventNotFound';
  constructor(id: string) {
    super(
      `This endpoint was not sent an event ${id} within the last ${ATTEMPT_DAYS} days: redeliver all since a time.`,
    );
  }
}
