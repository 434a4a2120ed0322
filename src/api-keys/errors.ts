/** No key with this id, or none that the caller may see. */
export class KeyNotFound extends Error {
  override name = 'KeyNotFound';
  constructor(id: string) {
    super(`There is no API key ${id}.`);
  }
}

/** A key that has expired or was revoked takes no further change. */
export class KeyEnded extends Error {
  override name = 'KeyEnded';
  constructor() {
    super('This key has expired or was revoked: create a new one.');
  }
}
