import { describe, expect } from 'vitest';
import { onboardingWorkflowId } from '../../workflows/contract.ts';
import { test } from '../support/api.ts';
import { SEED_LEAD } from '../support/onboarding.ts';
import { createTestClient } from '../support/temporal.ts';

let leads = 0;
const newLead = (change: object = {}) => ({ ...SEED_LEAD, email: `lead-${(leads += 1)}@example.com`, ...change });

describe('POST /api/leads', () => {
  test('stores the lead, its event and the order, answers 201, and starts the onboarding', async ({
    api,
    database,
  }) => {
    const { status, headers, body } = await api.call('POST', '/api/leads', SEED_LEAD);
    expect(status).toBe(201);
    expect(headers.get('location')).toBe(`/api/leads/${body.id}`);
    expect(body).toMatchObject({
      ...SEED_LEAD,
      status: 'NEW',
      priority: 'NORMAL',
      locale: 'pt-BR',
      attributes: {},
      score: null,
      onboardingState: 'PENDING',
    });
    await api.idle();
    expect(await database.prisma.outbox.count({ where: { leadId: body.id } })).toBe(0);
    const client = createTestClient();
    const handle = client.workflow.getHandle(onboardingWorkflowId(body.id));
    expect((await handle.describe()).type).toBe('leadOnboarding');
    await handle.terminate();
  });
});
