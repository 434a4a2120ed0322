/** No bulk retry with this id. */
export class BulkRetryNotFound extends Error {
  override name = 'BulkRetryNotFound';
  constructor(id: string) {
    super(`There is no retry ${id}.`);
  }
}

/** A bulk retry that has ended takes no command. */
export class BulkRetryOver extends Error {
  override name = 'BulkRetryOver';
  constructor(state: string) {
    super(`The retry is over: it is ${state}.`);
  }
}

/** One bulk retry at a time. */
export class BulkRetryUnderWay extends Error {
  override name = 'BulkRetryUnderWay';
  constructor(id: string) {
    super(`The retry ${id} is under way: wait until it has finished, or cancel it.`);
  }
}

/** More leads than one bulk retry takes. */
export class TooManyFailures extends Error {
  override name = 'TooManyFailures';
  constructor(most: number) {
    super(`More than ${most} leads failed so, which is the most for one retry: narrow the filter.`);
  }
}
