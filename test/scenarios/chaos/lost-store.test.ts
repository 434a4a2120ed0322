import { nothingIsLostWhen } from './nothing-is-lost.ts';
import { lostMoments, lostStore } from './scenarios/lost-store.ts';

nothingIsLostWhen([lostMoments, lostStore]);
