import { expect, it } from 'vitest';
import { HOSTILE, hostileSite } from '../../support/outside/hostile-pages.ts';
import { watchTurns } from '../../support/cpu.ts';
import { startCompanySite } from '../../enrichment/web-site/support.ts';

const MEBIBYTE = 1024 * 1024;

it('of ten hostile pages at once each ends, in little memory and without holding others up', async () => {
  const sites = await Promise.all(Object.values(HOSTILE).map((page) => startCompanySite(hostileSite(page))));
  const before = process.memoryUsage.rss();
  let most = before;
  const watch = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 50);
  const turns = watchTurns();
  const ends = await Promise.all(
    sites.map(async ({ lookUp }) => {
      const begun = Date.now();
      const answer = await lookUp();
      return { kind: answer.kind, reason: 'reason' in answer ? answer.reason : undefined, ms: Date.now() - begun };
    }),
  );
  const longestTurnMs = await turns.stop();
  clearInterval(watch);
  const report = Object.keys(HOSTILE).map((name, index) => ({ name, ...ends[index] }));
  const grown = Math.round((most - before) / MEBIBYTE);

  console.log(report.map(({ name, ms }) => `${name}: ${ms} ms`).join('\n'));
  expect(grown).toBeLessThan(50);
  expect(Object.fromEntries(report.map(({ name, kind, reason }) => [name, reason ?? kind]))).toEqual({
    'a bomb': 'body-too-large',
    'an endless page': 'body-too-large',
    'a drip': 'too-slow',
    'a silent one': 'too-slow',
    'endless headers': 'too-slow',
    'huge headers': 'headers-too-large',
    'deep nesting': 'response-malformed',
    'deep JSON': 'nothing',
    'a tag with 120,000 attributes': 'nothing',
    'a maze of redirects': 'too-many-redirects',
  });
  expect(longestTurnMs).toBeLessThan(500);
});
