import { z } from 'zod';
import { valid } from '../../command/option.ts';
import { newKeySchema } from '../new-key.ts';

const MS_PER_HOUR = 3_600_000;
const count = z.coerce.number('must be a whole number').int('must be a whole number').max(36_500);

export const [readName, readDays, readHours, readId] = [
  valid(newKeySchema.shape.name),
  valid(count.min(1)),
  valid(count.min(0)),
  valid(z.uuid('must be the id of a key')),
];

export const hoursToMs = (hours: number): number => hours * MS_PER_HOUR;

/** When a key that lasts so many days ends; null for one that has no end. */
export const endAfter = (days: number | undefined): Date | null =>
  days === undefined ? null : new Date(Date.now() + hoursToMs(days * 24));
