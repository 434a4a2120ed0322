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

/** The key that makes another one may not give it that much. */
export class KeyExceedsMaker extends Error {
  override name = 'KeyExceedsMaker';
}

/** There are as many keys as there may be. */
export class TooManyKeys extends Error {
  override name = 'TooManyKeys';
  constructor(whose: string) {
    super(`${whose} keys that work, which is the most: revoke some first.`);
  }
}
