import { fork } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, onTestFinished } from 'vitest';
import type { StoredEnrichment } from '../../../src/enrichment/stored.ts';
import { onboardingWorkflowId, TASK_QUEUES } from '../../../workflows/contract.ts';
import type { leadOnboarding } from '../../../workflows/index.ts';
import type { TestDatabase } from '../../support/database.ts';
import { recordLog } from '../../support/log.ts';
import { takeIn, test } from '../../support/onboarding.ts';
import { startDnsServer } from '../../support/outside/dns-server.ts';
import { HOSTILE, hostileSite } from '../../support/outside/hostile-pages.ts';
import { startSite } from '../../support/outside/site.ts';
import { createTestClient, testNamespace } from '../../support/temporal.ts';
import { startWorkers } from '../../support/workers.ts';
import type { EnrichmentWorld } from './enrichment-worker.ts';
import { carrierTo } from '../../support/relay.ts';

const MEBIBYTE = 1024 * 1024;
/** As many as there are pages that take all the time that there is. */
const SLOTS = 3;
const ORDINARY = 30;

/** Ten sites, each of a domain of its own, and the DNS that leads to them. */
async function startSites() {
  const domains = Object.keys(HOSTILE).map((_name, index) => `hostile-${index}.com.br`);
  const pages = Object.values(HOSTILE);
  const sites = await Promise.all(
    domains.map((domain, index) => startSite(hostileSite(pages[index] ?? (() => undefined)), [domain])),
  );
  const dns = await startDnsServer(Object.fromEntries(domains.map((domain) => [domain, { A: ['127.0.0.1'] }])));
  const ports = Object.fromEntries(domains.map((domain, index) => [domain, sites[index]?.port ?? 0]));
  return { domains, sites, network: { dnsServers: dns.servers, ports, ca: sites.map(({ ca }) => ca).join('\n') } };
}

/** The worker in a process of its own, so that its memory is its own. */
function startWorkerProcess(world: EnrichmentWorld) {
  const child = fork(new URL('./enrichment-worker.ts', import.meta.url), { execArgv: ['--import', 'tsx'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const memory: number[] = [];
  child.on('message', (rss) => memory.push(Number(rss)));
  child.send(world);
  return memory;
}

/** When each of the leads got an entry, in the order of the time. */
async function timesOf({ prisma }: TestDatabase, leadIds: readonly string[], type: string): Promise<number[]> {
  const entries = await prisma.leadEvent.findMany({ where: { leadId: { in: [...leadIds] }, type } });
  expect(entries).toHaveLength(leadIds.length);
  return entries.map(({ at }) => at.getTime()).toSorted((one, other) => one - other);
}

test('ten leads with hostile web sites delay no notification, and scores by the slots that they hold only', async ({
  database,
}) => {
  const { domains, sites, network } = await startSites();
  const place = { temporalAddress: inject('temporalAddress'), namespace: testNamespace() };
  const memory = startWorkerProcess({ databaseUrl: database.url, ...place, ...network });
  const { log } = recordLog();
  const client = createTestClient();
  const workers = await startWorkers(database, log, {}, [TASK_QUEUES.onboarding, TASK_QUEUES.notification]);
  const onboard = async (email?: string) => {
    const order = await takeIn(database, email === undefined ? {} : { email });
    await carrierTo(client, log)(order);
    return order.leadId;
  };
  const finish = (leadId: string) =>
    client.workflow.getHandle<typeof leadOnboarding>(onboardingWorkflowId(leadId)).result();

  const onboardMany = () => Promise.all(Array.from({ length: ORDINARY }, () => onboard()));

  const warmAt = Date.now();
  const warm = await onboardMany();
  await Promise.all(warm.map(finish)); // what is measured is the pages' doing
  const usualMs = ((await timesOf(database, warm, 'notification.created')).at(-1) ?? NaN) - warmAt;
  await expect.poll(() => memory.length).toBeGreaterThan(0);
  await sleep(500);
  const before = memory.at(-1) ?? 0;
  const since = memory.length;

  const startedAt = Date.now();
  const hostile = await Promise.all(domains.map((domain) => onboard(`ana@${domain}`)));
  const ordinary = await onboardMany();
  const results = await Promise.all([...hostile, ...ordinary].map(finish));
  const grown = (Math.max(...memory.slice(since)) - before) / MEBIBYTE;

  const leads = await database.prisma.lead.findMany({ where: { id: { in: hostile } } });
  const reasonOf = ({ enrichment }: (typeof leads)[number]) =>
    (enrichment as unknown as StoredEnrichment).providers.at(-1)?.reason;
  const slow = leads.filter((lead) => reasonOf(lead) === 'too-slow').map(({ id }) => id);
  const ends = await database.prisma.leadEvent.findMany({
    where: { leadId: { in: slow }, type: { in: ['enrichment.completed', 'enrichment.partial'] } },
    orderBy: { at: 'asc' },
  });
  const told = await timesOf(database, ordinary, 'notification.created');
  // The pages hold all slots until the first of their visits is over: nobody waits for that to be told.
  expect(slow).toHaveLength(SLOTS);
  // On a machine that is busy with something else it takes as long without them.
  const firstEnd = ends[0]?.at.getTime() ?? 0;
  expect(told.at(-1)).toBeLessThan(Math.max(firstEnd, startedAt + 3 * usualMs));
  // Each holds its slot for one visit: nobody is scored behind a second one.
  expect(ends.map(({ metadata }) => (metadata as { attempt: number }).attempt)).toEqual(slow.map(() => 1));
  for (const { score } of results) expect(score).toEqual(expect.any(Number));
  expect(grown).toBeLessThan(50);

  const reasons = leads.map(reasonOf);
  expect(reasons.filter((reason) => reason !== undefined).toSorted()).toEqual([
    'body-too-large',
    'body-too-large',
    'headers-too-large',
    'response-malformed',
    'too-many-redirects',
    'too-slow',
    'too-slow',
    'too-slow',
  ]);

  // Each is remembered as what it was: the next lead of the same domain does not visit it again.
  const asked = sites.map((site) => site.asked.length);
  await finish(await onboard(`bia@${domains[2]}`));
  expect(sites.map((site) => site.asked.length)).toEqual(asked);
  await workers.stop();
  await client.connection.close();
});
