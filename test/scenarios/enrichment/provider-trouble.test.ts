import type { RequestListener } from 'node:http';
import { describe, expect } from 'vitest';
import { createLeadActivities } from '../../../activities/lead.ts';
import { builtInProviders } from '../../../src/enrichment/built-in.ts';
import { guard } from '../../../src/enrichment/guard/guard.ts';
import { createHttpSource } from '../../../src/enrichment/http-source/http-source.ts';
import type { StoredEnrichment } from '../../../src/enrichment/stored.ts';
import type { leadOnboarding } from '../../../workflows/index.ts';
import { onboardingWorkflowId } from '../../../workflows/contract.ts';
import { testFetch } from '../../safe-fetch/support.ts';
import type { TestDatabase } from '../../support/database.ts';
import { recordLog } from '../../support/log.ts';
import { takeIn, test } from '../../support/onboarding.ts';
import { type Site, startSite } from '../../support/outside/site.ts';
import { createTestClient } from '../../support/temporal.ts';
import { startWorkers } from '../../support/workers.ts';
import { carrierTo } from '../../support/relay.ts';

const LEADS = 50;
const MAX_CALLS = 6;

let served = 0;
/** Services in trouble, by name; undefined is one that nobody listens for. */
const TROUBLES = {
  'is-down': undefined,
  hangs: () => undefined,
  'answers-500': (_request, response) => response.writeHead(500).end(),
  'answers-garbage': (_request, response) => response.end('<oops'),
  'answers-401': (_request, response) => response.writeHead(401).end(),
  'answers-429': (_request, response) => response.writeHead(429, { 'retry-after': '7' }).end(),
  recovers: (_request, response) => {
    served += 1;
    if (served <= 4) response.writeHead(500).end();
    else response.end('{"title":"CTO"}');
  },
} satisfies Record<string, RequestListener | undefined>;
type Trouble = keyof typeof TROUBLES;
const NAMES = Object.keys(TROUBLES) as Trouble[];

interface Ended {
  result: Awaited<ReturnType<typeof leadOnboarding>>;
  said: { answer: string; reason?: string } | undefined;
  country: string | undefined;
  title: unknown;
  /** When the service was asked for this lead. */
  calls: number[];
}
const ended = new Map<Trouble, Ended[]>();

/** The enrichment of a worker whose one service outside is in trouble. */
async function enrichWith({ pool, prisma }: TestDatabase, name: Trouble) {
  const site = await startSite(TROUBLES[name] ?? (() => undefined));
  const source = createHttpSource(testFetch({ allow: ['127.0.0.1'] }), {
    name,
    url: `http://127.0.0.1:${TROUBLES[name] ? site.port : 9}/{email}`,
    headers: {},
    fields: { jobTitle: 'title' },
    confidence: 0.7,
    timeoutMs: name === 'hangs' ? 300 : 8_000,
  });
  const provider = guard(prisma, source, {
    timeoutMs: 9_000,
    cacheMs: { found: 60_000, nothing: 60_000 },
    dailyBudget: 1_000_000,
    circuit: { failures: 5, pauseMs: 1_000 },
  });
  const { enrichLead } = createLeadActivities({ pool, prisma, providers: [...builtInProviders, provider] });
  return { site, enrichLead };
}

const callsFor = ({ asked, at }: Site, email: string | null) =>
  asked.flatMap((path, index) => (path === `/${encodeURIComponent(email ?? '')}` ? [at[index] ?? 0] : []));

/** 50 leads for each trouble, all at once on one worker of each queue. */
test('50 leads for each service in trouble are all onboarded', async ({ database }) => {
  const worlds = new Map(
    await Promise.all(NAMES.map(async (name) => [name, await enrichWith(database, name)] as const)),
  );
  const troubleOf = new Map<string, Trouble>();
  const client = createTestClient();
  const { log } = recordLog();
  const workers = await startWorkers(database, log, {
    enrichLead: (ref) => {
      const world = worlds.get(troubleOf.get(ref.leadId) ?? 'is-down');
      if (!world) throw new Error('no such trouble');
      return world.enrichLead(ref);
    },
  });
  for (let lead = 0; lead < LEADS; lead += 1) {
    for (const name of NAMES) {
      const order = await takeIn(database);
      troubleOf.set(order.leadId, name);
      await carrierTo(client, log)(order);
    }
  }
  await Promise.all(
    Array.from(troubleOf, async ([leadId, name]) => {
      const handle = client.workflow.getHandle<typeof leadOnboarding>(onboardingWorkflowId(leadId));
      const result = await handle.result();
      const { email, enrichment } = await database.prisma.lead.findUniqueOrThrow({ where: { id: leadId } });
      const { providers, fields } = enrichment as unknown as StoredEnrichment;
      const said = providers.find(({ provider }) => provider === name);
      const site = worlds.get(name)?.site;
      const end: Ended = {
        result,
        said,
        country: fields.country?.value,
        title: fields.jobTitle?.value,
        calls: site ? callsFor(site, email) : [],
      };
      ended.set(name, [...(ended.get(name) ?? []), end]);
    }),
  );
  await workers.stop();
  await client.connection.close();
  for (const name of NAMES) expect(ended.get(name), name).toHaveLength(LEADS);
});

describe('each of 50 leads is scored, with what the others found, and the service is asked six times at most', () => {
  let leads: Ended[] = [];
  const of = (name: Trouble) => (leads = ended.get(name) ?? []);

  test.for([
    ['is-down', 'retry'],
    ['hangs', 'retry'],
    ['answers-500', 'retry'],
    ['answers-garbage', 'stop'],
    ['answers-401', 'stop'],
    ['answers-429', 'retry'],
  ] as const)('when it %s', ([name, answer]) => {
    expect(of(name)).toHaveLength(LEADS);
    for (const { result, said, country, calls } of leads) {
      expect(result).toMatchObject({ state: 'PARTIAL', enrichment: 'partial', score: 85 });
      expect([said?.answer, country]).toEqual([answer, 'BR']);
      expect(calls.length).toBeLessThanOrEqual(answer === 'stop' ? 1 : MAX_CALLS);
    }
  });

  test('and when it is well again within the attempts, the leads are complete', () => {
    expect(of('recovers')).toHaveLength(LEADS);
    for (const { result, title, calls } of leads) {
      expect(result).toMatchObject({ state: 'COMPLETED', enrichment: 'completed' });
      expect(title).toBe('CTO');
      expect(calls.length).toBeLessThanOrEqual(MAX_CALLS);
    }
  });

  test('and after a 429 with Retry-After: 7 no call comes before 7 s are over, whatever the lead', () => {
    const calls = of('answers-429')
      .flatMap(({ calls: own }) => own)
      .toSorted((a, b) => a - b);
    const gaps = calls.slice(1).map((at, index) => at - (calls[index] ?? 0));
    // Side by side, before the first answer is there; or after the time that the service named.
    expect(gaps.filter((gap) => gap > 3_000 && gap < 7_000)).toEqual([]);
    expect(gaps.filter((gap) => gap >= 7_000).length).toBeGreaterThanOrEqual(3);
  });
});
