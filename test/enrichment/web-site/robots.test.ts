import { cpuMs } from '../../support/cpu.ts';
import { expect, it } from 'vitest';
import { robotsAllow } from '../../../src/enrichment/web-site/robots.ts';

const allows = (text: string, path = '/') => robotsAllow(text, 'lead-onboarding', path);

it.each([
  ['nothing', '', '/', true],
  ['nothing for us', 'User-agent: other\nDisallow: /', '/', true],
  ['all', 'User-agent: *\nDisallow: /', '/', false],
  ['all but us', 'User-agent: *\nDisallow: /\nUser-agent: Lead-Onboarding/1.0\nDisallow:', '/', true],
  ['us in a group of several', 'User-agent: a\nUser-agent: lead-onboarding\nDisallow: /', '/', false],
  ['the longer rule', 'User-agent: *\nDisallow: /a\nAllow: /a/b', '/a/b/c', true],
  ['allow, of two of one length', 'User-agent: *\nDisallow: /a\nAllow: /a', '/a', true],
  ['a star', 'User-agent: *\nDisallow: /*.pdf', '/x/y.pdf?z', false],
  ['an end', 'User-agent: *\nDisallow: /$', '/', false],
  ['another end', 'User-agent: *\nDisallow: /$', '/a', true],
  ['a star and an end', 'User-agent: *\nDisallow: /*.php$', '/a.php?x', true],
  ['old line ends and comments', 'User-agent: * # all\rDisallow: / # go away\r', '/', false],
])('forbids %s', (_what, text, path, allowed) => {
  expect(allows(text, path)).toBe(allowed);
});

it('reads a hostile file at next to no cost', async () => {
  const file = `${'User-agent: *\n'.repeat(20_000)}${`Disallow: ${'*a'.repeat(200)}b\n`.repeat(1_000)}`;
  expect(await cpuMs(() => allows(file, `/${'a'.repeat(2_000)}`))).toBeLessThan(500);
});
