import { ApplicationFailure } from '@temporalio/activity';
import { uuidv7 } from 'uuidv7';
import { describe, expect } from 'vitest';
import { carryOut } from '../../src/outbox/carry-out/carry-out.ts';
import type { EnrichOrder } from '../../src/outbox/order.ts';
import type { leadEnrichment } from '../../workflows/index.ts';
import { enrichmentWorkflowId } from '../../workflows/enrichment-contract.ts';
import { recordLog } from '../support/log.ts';
import { historyText, type Onboarding, test } from '../support/onboarding.ts';
import { createTestClient, replay } from '../support/temporal.ts';

async function enrichAgain({ leadId, order }: Onboarding) {
  const client = createTestClient();
  const again: EnrichOrder = {
    id: uuidv7(),
    kind: 'ENRICH_LEAD',
    leadId,
    organizationId: order.organizationId,
    payload: { run: uuidv7(), fresh: false, priority: 'NORMAL', requestId: 'request-again' },
  };
  const deps = { client, log: recordLog().log, searchAttributes: { known: true, forget: () => undefined } };
  await carryOut(deps, again);
  await carryOut(deps, again); // as a relay does that died before it noted the first
  const handle = client.workflow.getHandle<typeof leadEnrichment>(enrichmentWorkflowId(leadId, again.payload.run));
  const result = await handle.result();
  await replay(handle);
  const text = await historyText(handle);
  await client.connection.close();
  return { result, text };
}

describe('leadEnrichment', () => {
  test('enriches again and scores again, with ids only in its history', async ({ onboard }) => {
    const run = await onboard();
    await run.handle.result();
    const { result, text } = await enrichAgain(run);
    expect(result).toEqual({ enrichment: 'completed', score: 85, band: 'HOT' });
    const timeline = await run.timeline();
    expect(timeline.slice(-3)).toEqual(['enrichment.started', 'enrichment.completed', 'score.calculated']);
    expect(timeline.filter((type) => type === 'score.calculated')).toHaveLength(2);
    expect(text).toContain(run.leadId);
    expect(text).not.toMatch(/João|joao|Acme|98765-?4321/);
  });

  test('ends quietly when the lead is gone meanwhile', async ({ onboard, database }) => {
    const run = await onboard();
    await run.handle.result();
    await database.prisma.leadRecord.delete({ where: { id: run.leadId } });
    const { result } = await enrichAgain(run);
    expect(result).toEqual({ enrichment: 'skipped', score: null, band: null });
  });

  test('fails when the score cannot be had', async ({ onboard }) => {
    const scoreAfterEnrichment = () => Promise.reject(ApplicationFailure.nonRetryable('by the test', 'NoScore'));
    const run = await onboard({ activities: { scoreAfterEnrichment } });
    await run.handle.result();
    await expect(enrichAgain(run)).rejects.toMatchObject({ cause: { cause: { type: 'NoScore' } } });
  });
});
