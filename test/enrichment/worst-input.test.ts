import { expect, it } from 'vitest';
import { cleanText, cleanUrl } from '../../src/enrichment/web-site/clean-text.ts';
import { findOrganization } from '../../src/enrichment/web-site/json-ld.ts';
import type { Page } from '../../src/enrichment/web-site/page.ts';
import { pageFields } from '../../src/enrichment/web-site/page-fields.ts';
import { decodePage } from '../../src/enrichment/web-site/read-page.ts';
import { robotsAllow } from '../../src/enrichment/web-site/robots.ts';
import { cpuMs } from '../support/cpu.ts';

/** What a stranger's text may cost one thread, in milliseconds of CPU. */
const BOUND_MS = 50;

const SITE = new URL('https://acme.com.br/');
const page = (part: Partial<Page>): Page => ({
  language: '',
  title: '',
  meta: new Map(),
  jsonLd: [],
  links: [],
  resources: [],
  ...part,
});
const rules = (pattern: string, times: number) => `User-agent: *\n${`Disallow: ${pattern}\n`.repeat(times)}`;
const longPath = `/${'a'.repeat(15_000)}`;

/** The costliest text that each of our readers can be given, as far as we know: each within the bounds of its source. */
const WORST: Record<string, () => unknown> = {
  'robots.txt: patterns that almost match a long path': () =>
    robotsAllow(rules(`/*ab${'a'.repeat(496)}`, 1_000), 'us', longPath),
  'robots.txt: patterns that almost match the longest path that is judged': () =>
    robotsAllow(rules(`/*ab${'a'.repeat(496)}`, 1_000), 'us', longPath.slice(0, 2_000)),
  'robots.txt: patterns of many parts that almost match': () =>
    robotsAllow(rules(`/${'*aaaaab'.repeat(70)}`, 1_000), 'us', longPath),
  'robots.txt: patterns of many parts': () => robotsAllow(rules('*a'.repeat(249), 1_000), 'us', longPath),
  'robots.txt: half a mebibyte of groups': () => robotsAllow('User-agent: *\n'.repeat(37_000), 'us', '/'),
  'robots.txt: half a mebibyte of white space': () => robotsAllow(`a${' '.repeat(512 * 1024)}`, 'us', '/'),
  'robots.txt: half a mebibyte of empty lines': () => robotsAllow('\r'.repeat(512 * 1024), 'us', '/'),
  'a text of opened tags': () => cleanText('<'.repeat(100_000), 500),
  'a text of tags that never end': () => cleanText(`<${'a'.repeat(999)}`.repeat(100), 500),
  'a text of white space': () => cleanText(' \t'.repeat(100_000), 500),
  'an address of dots': () => cleanUrl(`https://${'a.'.repeat(240)}`, SITE),
  'links to nowhere': () => pageFields(page({ links: Array<string>(2_000).fill('x'.repeat(500)) }), {}, SITE, 1),
  'links to networks that are none': () =>
    pageFields(page({ links: Array<string>(2_000).fill(`https://x.com/share/${'a'.repeat(400)}`) }), {}, SITE, 1),
  'JSON-LD: profiles without end': () =>
    pageFields(
      page({ jsonLd: Array<string>(10).fill(`{"@type":"Organization","sameAs":[${'"x",'.repeat(16_000)}"x"]}`) }),
      {},
      SITE,
      1,
    ),
  'JSON-LD: types without end': () =>
    findOrganization(Array<string>(10).fill(`{"@type":[${'"x",'.repeat(16_000)}"x"]}`)),
  'JSON-LD: a wide tree': () =>
    findOrganization(Array<string>(10).fill(`[${`{"a":[${'{},'.repeat(99)}{}]},`.repeat(190)}{}]`)),
  'resources that almost give a technology away': () =>
    pageFields(
      page({ resources: Array<string>(500).fill(`/jquery${'.1jquery'.repeat(60)}`) }),
      { server: 'a'.repeat(16_000) },
      SITE,
      1,
    ),
  'resources that begin like one again and again': () =>
    pageFields(page({ resources: Array<string>(500).fill('/static/version1'.repeat(31)) }), {}, SITE, 1),
  'a page that names no charset': () => decodePage(Buffer.from('<meta '.repeat(200)), 'charset='.repeat(2_000)),
};

it.each(Object.entries(WORST))('costs next to nothing: %s', async (_what, read) => {
  expect(await cpuMs(read)).toBeLessThan(BOUND_MS);
});
