import { z } from 'zod';
import { valid, wholeNumber } from '../../command/option.ts';
import { KEEP_OLD_HOURS } from '../limits.ts';
import { newKeySchema } from '../new-key.ts';

const MS_PER_HOUR = 3_600_000;

export const [readName, readDays, readHours, readId] = [
  valid(newKeySchema.shape.name),
  wholeNumber(1, 36_500),
  wholeNumber(0, KEEP_OLD_HOURS.max),
  valid(z.uuid('must be the id of a key')),
];

export const hoursToMs = (hours: number): number => hours * MS_PER_HOUR;

/** When a key that lasts so many days ends; null for one that has no end. */
export const endAfter = (days: number | undefined): Date | null =>
  days === undefined ? null : new Date(Date.now() + hoursToMs(days * 24));
