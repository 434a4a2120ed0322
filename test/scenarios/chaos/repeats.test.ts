import { nothingIsLostWhen } from './nothing-is-lost.ts';
import { identicalLeads, identicalRequests } from './scenarios/identical-posts.ts';
import { deliveredBeforeMark, killPoints } from './scenarios/kill-points.ts';
import { poisonRow, removedRun } from './scenarios/outbox.ts';

nothingIsLostWhen([identicalLeads, identicalRequests, ...killPoints, deliveredBeforeMark, poisonRow, removedRun]);
