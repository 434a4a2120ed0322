/** Keys that work at the same time: far more than people look through. */
export const MAX_KEYS = { ofOrganization: 500, ofMaker: 100 };

/** Hours for which a key that is replaced works on, unless somebody says otherwise: its holders have to change over. */
export const KEEP_OLD_HOURS = { preset: 24, max: 168 };

/** For which the token of a stream waits for it: to be opened first, and to come back after it was cut off. */
export const STREAM_TOKEN_MS = 60_000;
