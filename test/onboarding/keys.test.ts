import { expect, test } from 'vitest';
import { runOf } from '../../src/onboarding/enrichment-step.ts';
import { ownerKey, stepKey } from '../../src/onboarding/step-record.ts';

const of = { leadId: 'lead-1', organizationId: 'org-1', requestId: 'request-1' };
const [round, assignment] = [
  { ...of, round: 2 },
  { ...of, assignment: 3, priority: 'HIGH' as const },
];
const enrichment = { ...of, run: 'run-1', fresh: false };

test('steps are kept under the keys that rows of earlier releases have', () => {
  expect(stepKey(ownerKey(round), 'enrichment')).toBe('2/enrichment');
  expect(stepKey(ownerKey(assignment), 'notification')).toBe('assignment-3/notification');
  expect(stepKey(ownerKey(enrichment), 'enrichment.started')).toBe('enrichment-run-1/enrichment.started');
});

test('so are the answers of an enrichment, of a round or of a command', () => {
  expect(runOf(round)).toBe('round-2');
  expect(runOf(enrichment)).toBe('again-run-1');
});
