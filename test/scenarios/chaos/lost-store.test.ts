import { nothingIsLostWhen } from './nothing-is-lost.ts';
import { lostMoments, lostStore } from './scenarios/lost-store.ts';

// Some of them are still asleep when the store goes, however slowly they were taken in.
nothingIsLostWhen([lostMoments, lostStore], { enrichmentDelayMs: 10_000 });
