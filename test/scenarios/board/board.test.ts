import { randomUUID } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { describe, expect } from 'vitest';
import { projectRoot } from '../../../src/local/project-root.ts';
import { TASK_QUEUES } from '../../../workflows/contract.ts';
import { storeFourErrors } from '../../support/attempts.ts';
import { chromiumPath, openPage } from '../../support/chromium.ts';
import type { TestDatabase } from '../../support/database.ts';
import { storeFailed } from '../../support/failures.ts';
import { residentMiB } from '../../support/memory.ts';
import { SEED_LEAD, test } from '../../support/onboarding.ts';
import { startProcess } from '../../support/processes.ts';

/** `npm run test:board` holds 500 leads a minute for ten minutes. */
const MINUTES = Number(process.env['BOARD_MINUTES'] ?? 0.25);
const PER_MINUTE = 500;
/** `npm run test:board` makes the pictures of the README. */
const PICTURES = process.env['BOARD_PICTURES'] === '1' ? join(projectRoot(), 'docs/images') : undefined;
/** What a page and a process may grow by once they are warm; both collect garbage when they like. */
const FLAT = 1.5;

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** All that a deployment has, and a board about it. */
async function startAll(database: TestDatabase, settings: NodeJS.ProcessEnv = {}) {
  const environment = { DATABASE_URL: database.url, LOG_LEVEL: 'warn', ...settings };
  const queues = Object.values(TASK_QUEUES).flatMap((queue) => ['--task-queue', queue]);
  const api = await startProcess('api', environment);
  const worker = await startProcess('worker', environment, queues);
  await startProcess('relay', environment);
  const board = await startProcess('board', { OPS_URL: api.url });
  for (const process of [api, worker, board]) await expect.poll(async () => (await process.readyz()).status).toBe(200);
  return { api, board };
}

async function postLead(api: string, change: object = {}): Promise<string> {
  const lead = { ...SEED_LEAD, email: `${randomUUID()}@acme.example`, ...change };
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${api}/api/leads`, { method: 'POST', headers, body: JSON.stringify(lead) });
  expect(answer.status).toBe(201);
  return ((await answer.json()) as { id: string }).id;
}

interface Finding {
  id: string;
  impact: string | null;
  nodes: { html: string }[];
}

/** What axe-core finds that is serious. */
async function inspect(page: Page): Promise<Finding[]> {
  await page.evaluate(axe);
  const { violations } = await page.evaluate<{ violations: Finding[] }>('axe.run(document)');
  return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
}

async function picture(page: Page, name: string): Promise<void> {
  if (PICTURES === undefined) return;
  await mkdir(PICTURES, { recursive: true });
  await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true });
}

describe.skipIf(chromiumPath === undefined)('the board in Chromium', () => {
  test('has no serious finding by axe-core: light and dark, wide and narrow, in both languages', async ({
    database,
  }) => {
    const { api, board } = await startAll(database, { ENRICHMENT_DELAY_MS: '5000' });
    const [failed = ''] = await storeFailed(database, {
      organizationId: 'org-7',
      leads: 12,
      step: 'enrich',
      errorType: 'crm:http-503',
    });
    await storeFailed(database, { organizationId: '<img src=x onerror=alert(1)>', leads: 2 });
    const { page, faults } = await openPage();
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    const leadId = await postLead(api.url);
    await page.goto(`${board.url}/board?lang=en`);
    await page.locator('.state.live').waitFor();
    const link = page.locator(`#lead-${leadId}`);
    await page.locator('.column.notified').getByRole('link').first().waitFor();
    await page.locator('.column.scored').locator(`#lead-${leadId}`).waitFor();
    await link.focus();
    for (let more = 0; more < 3; more += 1) await postLead(api.url, { priority: 'CRITICAL' });
    await expect.poll(() => page.locator('.column.scored').getByRole('link').count()).toBe(4);
    expect(await page.evaluate('document.activeElement.id')).toBe(`lead-${leadId}`); // it stays where it is
    await page.keyboard.press('Enter');
    await page.waitForURL(`${board.url}/board/leads/${leadId}`);
    await page.getByText('enrichment.completed').waitFor();
    await page.locator('#attempts').getByText('scoreLead').waitFor();

    await storeFourErrors(database, leadId);
    await page.goto(`${board.url}/board/leads/${leadId}`);
    await page.locator('.state.live').waitFor();
    await picture(page, 'board-lead');
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      for (const [width, language] of [
        [1280, 'en'],
        [375, 'pt-BR'],
      ] as const) {
        await page.setViewportSize({ width, height: 900 });
        for (const path of [
          '',
          '/queues',
          '/failures',
          `/leads/${leadId}`,
          `/leads/${failed}`,
          '/nowhere',
          '/sign-in',
        ]) {
          await page.goto(`${board.url}/board${path}?lang=${language}`);
          expect({ path, width, colorScheme, found: await inspect(page) }).toMatchObject({ found: [] });
          expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
        }
      }
    }
    expect(asked.filter((url) => !url.startsWith(board.url) && !url.startsWith('data:'))).toEqual([]);
    expect(faults.filter((fault) => !fault.includes('404'))).toEqual([]);
  });

  test('comes back after an answer that is no stream, as of a proxy whose board starts anew', async ({ database }) => {
    const { board } = await startAll(database);
    const { page } = await openPage();
    let asked = 0;
    await page.route('**/board/live?*', (route) => {
      asked += 1;
      return asked === 1 ? route.fulfill({ status: 502 }) : route.continue();
    });
    await page.goto(`${board.url}/board?lang=en`);
    await page.locator('.state.live').waitFor();
    expect(asked).toBe(2);
  });

  test(
    `shows each change of ${PER_MINUTE} leads a minute, and neither page nor process grows`,
    { timeout: MINUTES * 120_000 + 300_000 },
    async ({ database }) => {
      const { api, board } = await startAll(database, { ENRICHMENT_DELAY_MS: '1000' });
      const { page, faults } = await openPage();
      const devtools = await page.context().newCDPSession(page);
      await devtools.send('Performance.enable');
      await page.goto(`${board.url}/board?lang=en`);
      await page.locator('.state.live').waitFor();

      const samples: { nodes: number; heapMiB: number; processMiB: number }[] = [];
      const seen: number[] = [];
      const lookAt = async () => {
        const leadId = await postLead(api.url);
        const postedAt = performance.now();
        await page.locator(`#lead-${leadId}`).waitFor({ state: 'attached' });
        seen.push(Math.round(performance.now() - postedAt));
        await devtools.send('HeapProfiler.collectGarbage');
        const { metrics } = await devtools.send('Performance.getMetrics');
        const of = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? 0;
        samples.push({
          nodes: of('Nodes'),
          heapMiB: of('JSHeapUsedSize') / 1_024 ** 2,
          processMiB: await residentMiB(board.pid),
        });
      };
      const startedAt = performance.now();
      let posted = 0;
      let looking: Promise<void> | undefined;
      while (performance.now() - startedAt < MINUTES * 60_000) {
        const due = Math.floor(((performance.now() - startedAt) / 60_000) * PER_MINUTE);
        for (; posted < due; posted += 1) await postLead(api.url);
        looking ??= lookAt().finally(() => (looking = undefined));
        await sleep(50);
      }
      await looking;
      const largest = (of: (sample: (typeof samples)[number]) => number, from: number, to: number) =>
        Math.max(...samples.slice(Math.floor(from * samples.length), Math.ceil(to * samples.length)).map(of));
      const grown = (of: (sample: (typeof samples)[number]) => number) => ({
        middle: Math.round(largest(of, 1 / 3, 2 / 3)),
        last: Math.round(largest(of, 2 / 3, 1)),
      });
      const growth = {
        nodes: grown(({ nodes }) => nodes),
        pageHeapMiB: grown(({ heapMiB }) => heapMiB),
        processMiB: grown(({ processMiB }) => processMiB),
      };
      const sorted = seen.toSorted((a, b) => a - b);
      const shownMs = { median: sorted[Math.floor(sorted.length / 2)], longest: sorted.at(-1), looks: sorted.length };
      console.log({ minutes: MINUTES, posted: posted + seen.length, shownMs, ...growth });
      await picture(page, 'board-busy');
      await expect.poll(() => page.locator('.column.scored .count').innerText()).toMatch(/^[1-9]/);
      expect(seen.length).toBeGreaterThan(3);
      for (const { middle, last } of Object.values(growth)) expect(last).toBeLessThanOrEqual(middle * FLAT);
      expect(faults).toEqual([]);
    },
  );
});
