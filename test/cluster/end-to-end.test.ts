import { expect } from 'vitest';
import { TASK_QUEUES } from '../../workflows/contract.ts';
import { postLead, timelineUntil } from '../support/local-stack.ts';
import { test } from '../support/onboarding.ts';
import { startProcess, type TestProcess } from '../support/processes.ts';
import { NAMESPACES } from './server/configuration.ts';

const DELAY_MS = 10_000;

test('two APIs, two relays and two workers for each queue onboard the seed’s lead: 85, HOT, about 10 s later', async ({
  database,
}) => {
  const settings = {
    DATABASE_URL: database.url,
    TEMPORAL_NAMESPACE: NAMESPACES.endToEnd,
    ENRICHMENT_DELAY_MS: String(DELAY_MS),
  };
  const twice = (entry: 'api' | 'relay' | 'worker', args: string[] = []) =>
    Promise.all([1, 2].map(() => startProcess(entry, settings, args)));
  const [apis, ...others] = await Promise.all([
    twice('api'),
    twice('relay'),
    ...Object.values(TASK_QUEUES).map((queue) => twice('worker', ['--task-queue', queue])),
  ]);
  await Promise.all([...apis, ...others.flat()].map(untilReady));
  const [first, second] = apis.map(({ url }) => url) as [string, string];

  for (const [from, to] of [
    [first, second],
    [second, first],
  ] as const) {
    const id = await postLead(from, `joao+${Date.now()}@example.com`);
    const timeline = await timelineUntil(to, id, 'onboarding.completed');
    console.log(timeline.map(({ type, elapsedMs }) => `${type} ${elapsedMs} ms`).join('\n'));
    const lead = (await (await fetch(`${to}/api/leads/${id}`)).json()) as Record<string, unknown>;
    expect(lead).toMatchObject({ score: 85, scoreBand: 'HOT', onboardingState: 'COMPLETED' });
    const enrichment = timeline.find(({ type }) => type === 'enrichment.started');
    expect(enrichment?.elapsedMs).toBeGreaterThanOrEqual(DELAY_MS);
    expect(await postLead(to, String(lead['email'])), 'a touch of the same lead').toBe(id);
  }
});

const untilReady = (process: TestProcess) => expect.poll(async () => (await process.readyz()).status).toBe(200);
