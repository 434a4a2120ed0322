/** Endpoints of an organization. */
export const MAX_ENDPOINTS = 50;
/** Milliseconds for an endpoint to answer. */
export const ANSWER_WITHIN_MS = 10_000;
/** For which an event is tried, and for which an endpoint may fail before it is paused. */
export const GIVE_UP_AFTER_MS = 3 * 24 * 3_600_000;
/** Hours for which a secret that is replaced signs as well, unless somebody says otherwise. */
export const KEEP_OLD_SECRET_HOURS = { preset: 24, max: 168 };
/** For which attempts, and events that were given up, are kept. */
export const ATTEMPT_DAYS = 7;
